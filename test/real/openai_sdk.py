"""Uses a router as callers do, through the openai SDK: `openai_sdk.py CALL` prints what came as JSON.

It judges nothing: that is the part of python-sdk.test.ts.
"""

import json
import os
import sys
import time
from typing import Literal

import openai
from openai import OpenAI
from pydantic import BaseModel

CHAT, EMBEDDINGS, OLLAMA = (os.environ[name] for name in ("CHAT_MODEL", "EMBEDDINGS_MODEL", "OLLAMA_MODEL"))
BASE_URL = os.environ["BASE_URL"]
HELLO = [{"role": "user", "content": "Say hello."}]

# The SDK would hide failures by trying again.
client = OpenAI(base_url=BASE_URL, api_key="YOUR_API_KEY", max_retries=0)


class Choice(BaseModel):
    city: Literal["Paris", "Oslo"]
    large: bool


def models():
    listed = client.models.list().model_dump()["data"]
    return {"listed": listed, "retrieved": client.models.retrieve(CHAT).model_dump()}


def chat(model=CHAT, max_tokens=16):
    answer = client.chat.completions.with_raw_response.create(model=model, messages=HELLO, max_tokens=max_tokens)
    return {"headers": dict(answer.headers), "completion": answer.parse().model_dump()}


def stream_helper():
    # The helper raises when an answer reaches `max_tokens`; the schema is what brings this small model to an end.
    with client.chat.completions.stream(
        model=CHAT, messages=HELLO, response_format=Choice, stream_options={"include_usage": True}
    ) as stream:
        events = [event.type for event in stream]
        final = stream.get_final_completion()
    return {"events": events, "final": final.model_dump()}


def stream(model=CHAT, max_tokens=16):
    chunks = client.chat.completions.create(model=model, messages=HELLO, max_tokens=max_tokens, stream=True)
    return [chunk.model_dump() for chunk in chunks]


def embeddings():
    texts = ["a red fox", "a red fox", "double-entry bookkeeping"]
    # By default the SDK asks for base64 and decodes it.
    default = client.embeddings.create(model=EMBEDDINGS, input=texts)
    plain = client.embeddings.create(model=EMBEDDINGS, input=texts, encoding_format="float")
    return {
        "default": [entry.embedding for entry in default.data],
        "float": [entry.embedding for entry in plain.data],
        "usage": default.usage.model_dump(),
    }


def structured():
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Paris", "Oslo"]}, "large": {"type": "boolean"}},
        "required": ["city", "large"],
        "additionalProperties": False,
    }
    response_format = {"type": "json_schema", "json_schema": {"name": "choice", "strict": True, "schema": schema}}
    answer = client.chat.completions.create(
        model=CHAT, messages=HELLO, response_format=response_format
    )
    content = answer.choices[0].message.content
    return {"finish": answer.choices[0].finish_reason, "choice": Choice.model_validate_json(content).model_dump()}


def errors():
    stranger = OpenAI(base_url=BASE_URL, api_key="not-a-key", max_retries=0)
    chat = client.chat.completions.create
    return {
        "stranger": failure(lambda: stranger.models.list()),
        "unknown_model": failure(lambda: chat(model="no-such-model", messages=HELLO)),
        "malformed": failure(lambda: chat(model=CHAT, messages="not a list")),
        "no_role": failure(lambda: chat(model=CHAT, messages=[{"content": "nobody says this"}])),
        "too_long": failure(lambda: chat(model=CHAT, messages=[{"role": "user", "content": "word " * 6000}])),
    }


def failure(call):
    try:
        call()
    except openai.APIStatusError as error:
        headers = error.response.headers
        return {
            "raised": type(error).__name__,
            "status": error.status_code,
            "source": headers["x-switchyard-error-source"],
            "attempts": headers["x-switchyard-attempts"],
            "body": json.loads(error.response.text),
        }
    raise AssertionError("this call must fail")


def ollama():
    return {"chat": chat(OLLAMA, 8), "chunks": stream(OLLAMA, 8)}


def limited():
    # As patient as the SDK is unless told otherwise.
    patient = OpenAI(base_url=BASE_URL, api_key="YOUR_API_KEY")
    seen = []
    for _ in range(2):
        began = time.monotonic()
        answer = patient.chat.completions.with_raw_response.create(model=CHAT, messages=HELLO, max_tokens=1)
        seen.append({"seconds": time.monotonic() - began, "retries": answer.retries_taken})
    return {"seen": seen, "refused": failure(lambda: client.chat.completions.create(model=CHAT, messages=HELLO))}


CALLS = {call.__name__: call for call in (models, chat, stream_helper, stream, embeddings, structured, errors, ollama, limited)}
json.dump(CALLS[sys.argv[1]](), sys.stdout)

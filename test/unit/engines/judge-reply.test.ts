import { describe, expect, it, test } from 'vitest';
import { cut, error, flat, judge, verdict } from './wire.ts';

describe('a reply with status 2xx', () => {
  it('is served when it is a JSON object', () => {
    expect(judge(200, { id: 'x', choices: [] })).toEqual({ verdict: 'serve' });
    expect(verdict(200, { object: 'list', data: [] })).toBe('serve');
    expect(verdict(200, '\ufeff{"choices":[]}')).toBe('serve');
  });

  it('is served when it is an answer that also has an error field', () => {
    expect(verdict(200, { choices: [{}], error: { message: 'odd' } })).toBe('serve');
    expect(verdict(200, { id: 'x', error: null })).toBe('serve');
  });

  it('is broken when it is empty, HTML, cut or anything but an object', () => {
    for (const body of ['', '  \n', 'ok', '{"choices":[', '[]', '"text"', 'null', '3'])
      expect(verdict(200, body)).toBe('broken');
    expect(verdict(200, '{"choices":[]}', { 'content-type': 'text/html; charset=utf-8' })).toBe('broken');
    expect(verdict(204, '')).toBe('broken');
  });

  it('is broken when vLLM has aborted it', () => {
    expect(verdict(200, { choices: [{ message: { content: '' }, finish_reason: 'abort' }] })).toBe('broken');
  });

  it('is judged as the error it holds', () => {
    expect(verdict(200, error('The request queue is full.', 'SERVICE_UNAVAILABLE', 503))).toBe('busy');
    expect(verdict(200, { error: { message: 'Model is overloaded', http_status_code: 422 } })).toBe('busy');
    expect(verdict(200, error('boom', 'InternalServerError', 500))).toBe('broken');
    expect(verdict(200, flat("The input (9 tokens) is longer than the model's context length (4 tokens).", 400))).toBe(
      'overflow',
    );
    expect(verdict(200, { error: 'something' })).toBe('broken');
  });

  it('is served when it is longer than what is looked at', () => {
    const long = `{"object":"list","data":[{"embedding":[${'0.1,'.repeat(20_000)}`.slice(0, 65_536);
    expect(verdict(200, long)).toBe('serve');
    expect(verdict(200, `{"choices":[{"message":{"content":"error ${'x'.repeat(66_000)}`.slice(0, 65_536))).toBe(
      'serve',
    );
  });

  it('is judged as an error when it opens as one, however long', () => {
    expect(verdict(200, `{"error":{"message":"${'x'.repeat(66_000)}`.slice(0, 65_536))).toBe('broken');
    expect(verdict(200, `{"error":{"message":"server busy ${'x'.repeat(66_000)}`.slice(0, 65_536))).toBe('busy');
    expect(verdict(200, 'x'.repeat(65_536))).toBe('broken');
  });
});

test('a redirect, an interim status and a status out of range are broken', () => {
  for (const status of [100, 301, 307, 399, 600, 0, -1, Number.NaN])
    expect(verdict(status, { choices: [] })).toBe('broken');
});

test('the words of a caller, repeated in an error, teach nothing about the backend', () => {
  const prompt = 'this server does not support tools; the queue is full; maximum context length';
  expect(verdict(400, error(`1 validation error:\n  {'input': '${prompt}'}`, 'Bad Request', 400))).toBe('caller');
  expect(verdict(400, flat(`2 validation errors for ChatCompletionRequest ${prompt}`, 400, 'Bad Request'))).toBe(
    'caller',
  );
  expect(verdict(422, { detail: [{ type: 'string_type', input: prompt }] })).toBe('caller');
  expect(verdict(422, `Failed to deserialize the JSON body into the target type: invalid value: ${prompt}`)).toBe(
    'caller',
  );
  expect(verdict(400, error(`Unknown role "does not support tools"`))).toBe('caller');
  expect(verdict(400, error('the queue is full, said the user'))).toBe('caller');
  expect(
    verdict(500, error(`[json.exception.parse_error.101] last read: '${prompt.slice(0, 38)}'`, 'server_error', 500)),
  ).toBe('caller');
});

test('an error whose JSON was cut is judged by its text', () => {
  expect(verdict(400, cut(error("This model's maximum context length is 4096 tokens.", 'BadRequestError', 400)))).toBe(
    'overflow',
  );
  expect(verdict(400, cut(error('x does not support tools', 'invalid_request_error')))).toBe('unsupported');
  expect(verdict(404, cut(error('The model `x` does not exist.', 'NotFoundError')))).toBe('wrong-model');
  expect(verdict(503, '{"error":{"message":"Loading model')).toBe('loading');
});

// From a click to an outcome: drain is asked about first, the token is asked for once, and a wrong one says so.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { type Command, forgetToken, keepToken, type Outcome, readToken, send } from './actions.ts';
import { formatMany } from './format.ts';

type Step =
  | { readonly step: 'confirm'; readonly command: Command }
  | { readonly step: 'token'; readonly command: Command; readonly problem: string | undefined };

export interface Commands {
  readonly command: (command: Command) => void;
  /** The dialog, while there is something to ask. */
  readonly asked: Step | undefined;
  readonly outcome: Outcome | undefined;
  readonly dialog: DialogActions;
  readonly dismiss: () => void;
}

interface DialogActions {
  readonly goOn: (command: Command) => void;
  readonly giveToken: (command: Command, token: string) => void;
  readonly cancel: () => void;
}

export function useCommands(done: () => void): Commands {
  const [asked, ask] = useState<Step | undefined>(undefined);
  const [outcome, setOutcome] = useState<Outcome | undefined>(undefined);

  async function run(command: Command): Promise<void> {
    const token = readToken();
    if (token === undefined) return ask({ step: 'token', command, problem: undefined });
    ask(undefined);
    const ended = await send(command, token);
    if (ended.result === 'wrong token') {
      forgetToken();
      return ask({ step: 'token', command, problem: ended.text });
    }
    setOutcome(ended);
    done();
  }

  const command = useCallback((wanted: Command) => {
    setOutcome(undefined);
    if (wanted.verb === 'drain') ask({ step: 'confirm', command: wanted });
    else void run(wanted);
  }, []);
  return {
    command,
    asked,
    outcome,
    dialog: {
      goOn: (wanted) => void run(wanted),
      giveToken(wanted, token) {
        keepToken(token);
        void run(wanted);
      },
      cancel: () => ask(undefined),
    },
    dismiss: () => setOutcome(undefined),
  };
}

export interface DialogProps {
  readonly asked: Step | undefined;
  readonly actions: DialogActions;
}

/** Always there, because only a dialog that is closed before it goes gives the focus back to where it came from. */
export function Dialog({ asked, actions }: DialogProps) {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const { current: dialog } = box;
    if (asked === undefined) dialog?.close();
    else if (dialog?.open === false) dialog.showModal();
  }, [asked]);
  return (
    <dialog ref={box} onCancel={actions.cancel} aria-labelledby="dialog-title">
      {asked?.step === 'confirm' && <Confirm command={asked.command} actions={actions} />}
      {asked?.step === 'token' && <Token command={asked.command} problem={asked.problem} actions={actions} />}
    </dialog>
  );
}

interface StepProps {
  readonly command: Command;
  readonly actions: DialogActions;
}

function Confirm({ command, actions }: StepProps) {
  if (command.verb === 'reload') return null;
  const running =
    command.inFlight === 0
      ? 'Nothing is in flight there.'
      : `${formatMany(command.inFlight, 'request')} in flight run out.`;
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        actions.goOn(command);
      }}
    >
      <h2 id="dialog-title">Drain {command.backend}?</h2>
      <p>It gets nothing new. {running} It stays out over reloads, until undrain or a restart of the router.</p>
      <Buttons go="drain" actions={actions} />
    </form>
  );
}

function Token({ command, problem, actions }: StepProps & { readonly problem: string | undefined }) {
  const [token, setToken] = useState('');
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== '') actions.giveToken(command, token.trim());
      }}
    >
      <h2 id="dialog-title">Admin token</h2>
      <p>
        The one of <code>admin.token</code> or <code>admin.token_file</code>. It stays in this tab until it is closed.
      </p>
      <label>
        token
        <input
          ref={input}
          type="password"
          name="token"
          autocomplete="off"
          required
          value={token}
          aria-describedby="token-problem"
          aria-invalid={problem !== undefined}
          onInput={({ currentTarget }) => setToken(currentTarget.value)}
        />
      </label>
      <p id="token-problem" class="problem" role="alert">
        {problem}
      </p>
      <Buttons go={command.verb} actions={actions} />
    </form>
  );
}

function Buttons({ go, actions }: { readonly go: string; readonly actions: DialogActions }) {
  return (
    <div class="buttons">
      <button type="button" onClick={actions.cancel}>
        cancel
      </button>
      <button type="submit" class="go">
        {go}
      </button>
    </div>
  );
}

export function OutcomeBar({
  outcome,
  dismiss,
}: {
  readonly outcome: Outcome | undefined;
  readonly dismiss: () => void;
}) {
  return (
    <div role="status" class="outcomes">
      {outcome !== undefined && (
        <div class={`outcome ${outcome.result}`}>
          <p>{outcome.text}</p>
          {outcome.lines.length > 0 && <pre>{outcome.lines.join('\n')}</pre>}
          <button type="button" onClick={dismiss}>
            dismiss
          </button>
        </div>
      )}
    </div>
  );
}

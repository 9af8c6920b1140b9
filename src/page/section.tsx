// A part of the page under its heading, and a table that becomes cards on a phone. Roles are said outright, because a table
// that is laid out as cards would lose them.
import type { ComponentChildren } from 'preact';

export interface SectionProps {
  readonly id: string;
  readonly title: string;
  /** Beside the title. */
  readonly note?: string;
  readonly children: ComponentChildren;
}

export function Section({ id, title, note, children }: SectionProps) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>
        {title}
        {note !== undefined && <span class="note">{note}</span>}
      </h2>
      {children}
    </section>
  );
}

export interface TableProps {
  readonly label: string;
  readonly heads: readonly string[];
  readonly children: ComponentChildren;
}

export function Table({ label, heads, children }: TableProps) {
  return (
    <div class="frame" role="region" aria-label={label} tabIndex={0}>
      <table role="table">
        <thead role="rowgroup">
          <tr role="row">
            {heads.map((head) => (
              <th key={head} role="columnheader" scope="col">
                {head}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">{children}</tbody>
      </table>
    </div>
  );
}

export interface CellProps {
  /** Of its column; stands in front of the value on a phone. */
  readonly head: string;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Cell({ head, class: kind, children }: CellProps) {
  return (
    <td role="cell" data-head={head} class={kind}>
      <div class="value">{children}</div>
    </td>
  );
}

/** The cell that names its row. */
export function RowHead({ children }: { readonly children: ComponentChildren }) {
  return (
    <th role="rowheader" scope="row">
      {children}
    </th>
  );
}

export function Nothing({ children }: { readonly children: ComponentChildren }) {
  return <p class="nothing">{children}</p>;
}

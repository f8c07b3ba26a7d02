/** What a person can do to an incident from its page: take it, end it, write to it, silence it. Forms, no script. */

import { type Incident, publicId } from '../domain/incident.js';

/**
 * One form for all buttons, so that one name serves them. Acknowledging twice is harmless; resolving is refused
 * when the incident changed since the page was drawn, which is what the revision is for.
 */
export function Actions({ incident, actor }: { readonly incident: Incident; readonly actor: string | null }) {
  if (incident.foldedInto !== null) {
    return (
      <p>
        It goes on as <a href={`/i/${incident.foldedInto}`}>{publicId(incident.foldedInto)}</a>, with its
        alerts.
      </p>
    );
  }
  if (incident.state === 'resolved') {
    return (
      <form class="actions" method="post" action={`/i/${incident.id}/reopen`}>
        <span class="muted">
          Resolved. It reopens by itself when the alert fires again within the reopen window.
        </span>
        <NameField actor={actor} />
        <button type="submit" class="quiet">
          Reopen
        </button>
      </form>
    );
  }
  const open = incident.state === 'open';
  return (
    <form class="actions" method="post" action={`/i/${incident.id}/${open ? 'acknowledge' : 'resolve'}`}>
      <input type="hidden" name="revision" value={String(incident.revision)} />
      <NameField actor={actor} />
      {open ? <button type="submit">Acknowledge</button> : null}
      <button type="submit" class={open ? 'quiet' : ''} formAction={`/i/${incident.id}/resolve`}>
        Resolve
      </button>
    </form>
  );
}

function NameField({ actor }: { readonly actor: string | null }) {
  if (actor !== null) return null;
  return <input name="actor" placeholder="name" aria-label="your name" maxLength={60} />;
}

/** Asked for in a form of its own card, unless the browser has said who it is. */
function YourName({ actor }: { readonly actor: string | null }) {
  if (actor !== null) return null;
  return (
    <p>
      <label>
        your name
        <br />
        <input name="actor" maxLength={60} />
      </label>
    </p>
  );
}

/** A sentence for its story. */
export function NoteCard({
  incident,
  actor,
}: {
  readonly incident: Incident;
  readonly actor: string | null;
}) {
  return (
    <section class="card" id="notes">
      <h2>Add a note</h2>
      <form method="post" action={`/i/${incident.id}/notes`}>
        <YourName actor={actor} />
        <p>
          <label>
            what happened, what you tried
            <br />
            <textarea name="comment" required maxLength={4000} />
          </label>
        </p>
        <button type="submit" class="quiet">
          Add note
        </button>
      </form>
    </section>
  );
}

const SILENCE_SPANS = ['1h', '4h', '1d', '7d'];

/** Nothing for what has ended, and nothing for an umbrella: it has no labels to match. */
export function SilenceCard({
  incident,
  actor,
}: {
  readonly incident: Incident;
  readonly actor: string | null;
}) {
  if (incident.state === 'resolved' || incident.kind !== 'problem') return null;
  return (
    <section class="card" id="silence">
      <h2>Silence</h2>
      <p class="small muted">
        Creates a silence in Alertmanager for exactly what the firing alerts of this incident have in common.
        Other alerts still page. It is watched on: when the alerts end it resolves, when the silence ends
        first it pages again.
      </p>
      <form method="post" action={`/i/${incident.id}/silence`}>
        <YourName actor={actor} />
        <p>
          <label>
            for{' '}
            <select name="for">
              {SILENCE_SPANS.map((span) => (
                <option key={span} value={span}>
                  {span}
                </option>
              ))}
            </select>
          </label>
        </p>
        <p>
          <label>
            why
            <br />
            <input name="comment" maxLength={500} />
          </label>
        </p>
        <button type="submit" class="quiet">
          Silence
        </button>
      </form>
    </section>
  );
}

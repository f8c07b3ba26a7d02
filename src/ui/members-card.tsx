/** Whom an umbrella speaks for. */

import { publicId } from '../domain/incident.js';
import { placeOf } from '../domain/scope.js';
import type { UmbrellaMember, UmbrellaView } from '../domain/umbrella.js';
import { clean, cut } from '../render/neutralise.js';
import { Badge, stateOf } from './text.js';

export function MembersCard({ umbrella }: { readonly umbrella: UmbrellaView }) {
  const { members, memberCount, standingCount, groups } = umbrella;
  const hidden = memberCount - members.length;
  return (
    <section class="card" id="members">
      <h2>
        Incidents: {memberCount}, {standingCount} not resolved
      </h2>
      <ul class="story">
        {members.map((member) => (
          <li key={member.id}>
            <a href={`/i/${member.id}`}>{publicId(member.id)}</a>{' '}
            <Badge tone={stateOf(asShown(member)).tone}>
              {stateOf(asShown(member)).mark} {stateOf(asShown(member)).word}
            </Badge>{' '}
            {cut(clean(member.alertName), 80)}{' '}
            <span class="muted">{cut(clean(placeOf(member.scope)), 80)}</span>
            {member.short === null ? null : <span> · {cut(clean(member.short), 80)}</span>}
          </li>
        ))}
      </ul>
      {hidden > 0 ? <p class="muted">and {hidden} more</p> : null}
      {groups.length === 0 ? null : (
        <details>
          <summary class="small">all that stand, by alert</summary>
          <dl class="facts small">
            {groups.map(({ name, count, ids }) => (
              <Group key={name} name={`${name} (${count})`} ids={ids} />
            ))}
          </dl>
        </details>
      )}
    </section>
  );
}

function asShown({ state, severity }: UmbrellaMember) {
  return { state, severity, foldedInto: null, flags: { silenced: false } };
}

function Group({ name, ids }: { readonly name: string; readonly ids: string }) {
  return (
    <>
      <dt>{cut(clean(name), 90)}</dt>
      <dd>{ids}</dd>
    </>
  );
}

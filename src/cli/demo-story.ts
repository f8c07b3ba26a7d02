/** What the demo tells: the stand-ins' events as lines on the terminal, with the time since it began. */

import type { App } from '../app.js';
import { parsePublicId } from '../domain/incident.js';
import { renderPlainText } from '../render/plain-text.js';
import type { StandInEvents } from './demo-stand-ins.js';

export type DemoStory = {
  readonly events: StandInEvents;
  /** A card with a verdict was shown. */
  readonly shown: Promise<void>;
  /** The incident is over, and the pager knows if it had been told. */
  readonly resolved: Promise<void>;
};

/** Prints `mm:ss  text`; further lines are indented. */
export function createTeller(): (text: string) => void {
  const began = performance.now();
  return (text) => {
    const seconds = Math.round((performance.now() - began) / 1000);
    const clock = `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
    console.log(`${clock}  ${text.replaceAll('\n', '\n       ')}`);
  };
}

/** Turns what the stand-ins receive into lines, and tells when the story goes on. */
export function createStory(say: (text: string) => void, readView: App['readView']): DemoStory {
  let cardShown: () => void = () => {};
  let over: () => void = () => {};
  const shown = new Promise<void>((done) => {
    cardShown = done;
  });
  const resolved = new Promise<void>((done) => {
    over = done;
  });
  let last = '';
  let awake = false;
  return {
    shown,
    resolved,
    events: {
      paged(summary: string) {
        awake = true;
        say(`PAGED  ${summary}`);
      },
      pageChanged(action: string) {
        say(`The page is ${action === 'resolve' ? 'resolved' : 'acknowledged'} at the pager.`);
        if (action === 'resolve') over();
      },
      reply: (text: string) => say(`in the thread: ${text}`),
      card(incident: string, posted: boolean) {
        const id = parsePublicId(incident);
        if (id === null) return;
        void readView(id).then((view) => {
          if (view === null) return;
          const text = renderPlainText(view, { publicUrl: null });
          if (posted || view.incident.state !== last) say(`${posted ? 'CARD' : 'CARD, updated'}\n${text}\n`);
          last = view.incident.state;
          if (view.diagnosis !== null) cardShown();
          // A pager hears of the resolve only after the hold, in case the alert fires again.
          if (view.incident.state === 'resolved' && !awake) over();
        });
      },
    },
  };
}

/** The form for a note: a modal (docs.slack.dev, "Modals") with one field. */

import { publicId } from '../domain/incident.js';
import { NOTE_FORM } from './read-interaction.js';

/** Slack allows 3,000 characters in such a field. */
const MAX_CHARS = 3_000;

export function noteForm(incidentId: number): object {
  const plain = (text: string) => ({ type: 'plain_text', text });
  return {
    type: 'modal',
    callback_id: NOTE_FORM.callbackId,
    private_metadata: String(incidentId),
    // At most 24 characters.
    title: plain(`Note on ${publicId(incidentId)}`.slice(0, 24)),
    submit: plain('Add'),
    close: plain('Cancel'),
    blocks: [
      {
        type: 'input',
        block_id: NOTE_FORM.blockId,
        label: plain('What happened, what you tried'),
        element: {
          type: 'plain_text_input',
          action_id: NOTE_FORM.actionId,
          multiline: true,
          max_length: MAX_CHARS,
        },
      },
    ],
  };
}

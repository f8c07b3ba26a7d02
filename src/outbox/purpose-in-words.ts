/** What a purpose is called in the timeline. */

import type { Purpose } from '../domain/notification.js';

const WORDS: Readonly<Record<Purpose, string>> = {
  page: 'Page',
  page_update: 'Update of the page',
  page_again: 'Second page',
  page_acknowledge: 'Acknowledgement',
  page_resolve: 'Resolve',
  card: 'Card',
  verdict_reply: 'Verdict reply',
  reminder_reply: 'Reminder',
  answer_reply: 'Answer below the card',
  webhook: 'Webhook call',
  log: 'Log entry',
};

/** "Page", "Verdict reply": the start of a sentence. */
export function purposeInWords(purpose: Purpose): string {
  return WORDS[purpose];
}

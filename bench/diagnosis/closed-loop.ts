/** What became of a run with its first fix, with the tempting one, and with nothing. */
export type LoopOutcome = {
  readonly lever: string;
  readonly tempting: string;
  /** Minutes from the intervention until the SLO is met and stays so; the horizon where it never is. */
  readonly fixMinutes: number;
  readonly wrongMinutes: number;
  readonly nothingMinutes: number;
  /** By more than a minute. */
  readonly differs: boolean;
};

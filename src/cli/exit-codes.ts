/** What a command's exit status means, the same for all of them. */
export const EXIT = { fine: 0, found: 1, usage: 2, unreachable: 3, noSuchThing: 4, refused: 5 } as const;

/** Ends a command with a message on stderr and a status. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

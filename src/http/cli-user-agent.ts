/** How the command line names itself, so that the timeline can tell it from other programs. */
export const CLI_USER_AGENT = 'wakewell-cli';

/** Codes of the command line; docs/reference/errors.md is made from it. */
export const CLI_ERRORS = {
  InvalidUsage: {
    meaning: 'The command line has an unknown command, flag or value.',
    mend: 'See `plumbline help COMMAND`.',
  },
  WorkingCopyUnreadable: {
    meaning: 'A path that was given to `plumbline` does not exist, may not be read, or is too large.',
    mend: 'Point it at the folder (or file) that holds the manifests.',
  },
} as const;

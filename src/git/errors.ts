import { PlumblineError, TerminalError, type ErrorDetails } from '../errors.ts';

/** Every way in which reading Git fails. The codes are condition reasons; docs/reference/errors.md is made from this table. */
export const GIT_ERRORS = {
  InvalidURL: {
    meaning: 'The URL of the repository cannot be used: its form, its scheme or its host is not allowed.',
    mend: 'Correct spec.url. Credentials belong in the Secret of spec.secretRef; plain http needs spec.insecure.',
  },
  InvalidRef: {
    meaning: 'The ref is not one that Git could have, or its commit is not a full object id.',
    mend: 'Correct spec.ref: exactly one of branch, tag, semver, commit (40 hex digits) and name (refs/…).',
  },
  InvalidPath: {
    meaning: 'The path leaves the repository or holds characters that no path may hold.',
    mend: 'Correct spec.path: forward slashes, relative to the root of the repository, without `..`.',
  },
  AuthenticationFailed: {
    meaning: 'The server refused the credentials, or asks for some and none are configured.',
    mend: 'Check the Secret of spec.secretRef (username and password, or bearerToken) and what its account may read.',
  },
  RepositoryNotFound: {
    meaning: 'The server has no such repository, or hides it from this account.',
    mend: 'Check spec.url and whether the account of spec.secretRef may read the repository.',
  },
  EmptyRepository: {
    meaning: 'The repository has no commit yet.',
    mend: 'Push a first commit. Nothing is applied or pruned until then.',
  },
  RefNotFound: {
    meaning: 'The branch, tag, ref or commit does not exist (any more), or no tag matches the semver range.',
    mend: 'Correct spec.ref or push the ref again. What is applied stays as it is.',
  },
  NotACommit: {
    meaning: 'The ref names a tree or a single file instead of a commit.',
    mend: 'Point spec.ref to a branch, or to a tag of a commit.',
  },
  PathNotFound: {
    meaning: 'The commit has no folder at spec.path. Nothing is pruned because of it.',
    mend: 'Correct spec.path or commit the folder.',
  },
  HostNotFound: {
    meaning: 'The host of the URL has no address in DNS.',
    mend: 'Check the host in spec.url and the DNS of the cluster.',
  },
  ConnectionRefused: {
    meaning: 'The host is there, but nothing listens on the port.',
    mend: 'Check the port in spec.url, and firewalls or NetworkPolicies in between.',
  },
  GitUnreachable: {
    meaning: 'The connection broke, or the server answered that it cannot serve now.',
    mend: 'It is tried again by itself. When it stays, look at the server and at the network in between.',
  },
  GitTimeout: {
    meaning: 'The server did not finish its answer within spec.timeout.',
    mend: 'It is tried again by itself. Raise spec.timeout for a slow server or a very large repository.',
  },
  TlsError: {
    meaning:
      'The TLS connection failed: most often a certificate that is not trusted, expired or made for another host.',
    mend: 'Put the certificate authority into `ca.crt` of the Secret of spec.secretRef, or renew the server certificate.',
  },
  RedirectRefused: {
    meaning: 'The server redirects to another host, or from https to http. Neither is followed.',
    mend: 'Set spec.url to the final address.',
  },
  GitProtocolError: {
    meaning: 'The answer is not valid Git: not a Git server, or one that sends broken or incomplete data.',
    mend: 'Check spec.url. When `git fetch` of the same URL works, report the server and its version.',
  },
  GitLimitExceeded: {
    meaning: 'The repository is larger than a limit of the operator; the message names the limit.',
    mend: 'Move large files out of spec.path or out of the repository, or raise the limit.',
  },
  HostileTree: {
    meaning: 'A folder of the commit holds an entry that a sound Git never writes (`..`, `.git`, a slash in a name).',
    mend: 'Find out who made the commit; remove the entry in a new one.',
  },
  UnreadableName: {
    meaning: 'The name of a file is not UTF-8 or holds control characters.',
    mend: 'Rename the file.',
  },
  Submodule: {
    meaning: 'There is a submodule below the path; submodules are not fetched, so its objects would be missing.',
    mend: 'Move the submodule out of spec.path, exclude it, or commit its files.',
  },
  SymlinkOutside: {
    meaning: 'A symbolic link leads out of the repository.',
    mend: 'Let the link point to something in the repository, relative to the link itself.',
  },
  SymlinkBroken: {
    meaning: 'A symbolic link leads to nothing, in a circle, or over too many further links.',
    mend: 'Correct the link or remove it.',
  },
  Sha256NotSupported: {
    meaning: 'The repository uses SHA-256 object ids.',
    mend: 'Use a repository in the SHA-1 format; SHA-256 is not supported yet.',
  },
  GitRefMoved: {
    meaning: 'The commit vanished from the server while it was read (a force-push and a clean-up).',
    mend: 'Nothing: the ref is read again by itself.',
  },
  GitWorkerFailed: {
    meaning: 'The thread that reads Git objects ended, most often because it ran out of memory. It is started again.',
    mend: 'It is tried again by itself. When it repeats, raise the memory limit or shrink the repository.',
  },
  DiskFull: {
    meaning: 'The scratch directory is full.',
    mend: 'Enlarge the volume of the scratch directory.',
  },
  ScratchUnusable: {
    meaning: 'The scratch directory cannot be read or written.',
    mend: 'Check that its volume is mounted, writable for the user of the operator, and sound.',
  },
} as const satisfies Record<string, { meaning: string; mend: string }>;

export type GitErrorCode = keyof typeof GIT_ERRORS;

/** Only an edit of the source cures these; whatever a commit or the server can cure is tried again. */
const TERMINAL: ReadonlySet<GitErrorCode> = new Set(['InvalidURL', 'InvalidRef', 'InvalidPath', 'Sha256NotSupported']);

/** What the commit itself is like: whoever reads it again hears the same. */
const OF_COMMIT: ReadonlySet<string> = new Set<GitErrorCode>([
  'NotACommit',
  'PathNotFound',
  'GitLimitExceeded',
  'HostileTree',
  'UnreadableName',
  'Submodule',
  'SymlinkOutside',
  'SymlinkBroken',
]);

/** Did reading a commit fail before anybody knows what is in it? */
export function leavesUnread(error: unknown): boolean {
  const code = error instanceof PlumblineError ? error.code : '';
  return Object.hasOwn(GIT_ERRORS, code) && !OF_COMMIT.has(code);
}

export function gitError(code: GitErrorCode, message: string, details?: ErrorDetails): PlumblineError {
  return TERMINAL.has(code) ? new TerminalError(code, message, details) : new PlumblineError(code, message, details);
}

export function isGitError(error: unknown, code: GitErrorCode): boolean {
  return error instanceof PlumblineError && error.code === code;
}

/** What an error of the file system means; anything else is returned as it is. */
export function diskError(error: unknown): unknown {
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return gitError('DiskFull', 'the scratch directory for Git has no space left: enlarge its volume', {
      cause: error,
    });
  }
  if (code === undefined || syscall === undefined) return error;
  return gitError('ScratchUnusable', `the scratch directory for Git cannot be used (${syscall}: ${code})`, {
    cause: error,
  });
}

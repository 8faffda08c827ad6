import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Remote } from '../src/git/remote.ts';
import { gitConfig } from './git-backend.ts';

/** Content by path; null deletes the file. */
export type Files = Record<string, string | Uint8Array | null>;

export interface WriteOptions {
  /** Default: the one of the last write, first `main`. A new branch starts at the last commit. */
  branch?: string;
  /** `Name <mail>`. */
  author?: string;
  /** Replaces the last commit; pushes with force. */
  amend?: boolean;
  force?: boolean;
  /** Tags the commit (lightweight) and pushes the tag too. */
  tag?: string;
  /** Path → target. */
  symlinks?: Record<string, string>;
}

/** How the git CLI reaches the server; asked anew for each call. */
export interface Access {
  auth?: Remote['auth'];
  caFile?: string;
}

/** A repository on the server, beside the clone through which a test writes to it. One write at a time. */
export class Repository {
  readonly url: string;
  /** The clone: a work tree. */
  readonly dir: string;
  /** The repository that the server serves. */
  readonly bare: string;
  readonly #access: () => Access;
  #branch = 'main';

  private constructor(url: string, dir: string, bare: string, access: () => Access) {
    this.url = url;
    this.dir = dir;
    this.bare = bare;
    this.#access = access;
  }

  static async create(url: string, dir: string, bare: string, access: () => Access): Promise<Repository> {
    const repository = new Repository(url, dir, bare, access);
    await mkdir(dir, { recursive: true });
    await repository.git('init', '-q', '--bare', '--template=', bare);
    await repository.git('init', '-q', '--template=');
    await repository.git('remote', 'add', 'origin', url);
    return repository;
  }

  /** Commits and pushes, with the git CLI over HTTP; the commit's id. Without a change the commit is empty. */
  async write(files: Files, message = 'change', options: WriteOptions = {}): Promise<string> {
    const { branch = this.#branch, symlinks = {}, amend = false, tag } = options;
    await this.#switchTo(branch);
    await this.#change(files, symlinks);
    const paths = [...Object.keys(files), ...Object.keys(symlinks)];
    if (paths.length > 0) {
      await this.#run(['add', '-A', '-f', '--pathspec-from-file=-', '--pathspec-file-nul'], paths.join('\0'));
    }
    const author = options.author === undefined ? [] : [`--author=${options.author}`];
    await this.git('commit', '-q', '--allow-empty', ...(amend ? ['--amend'] : []), ...author, '-m', message);
    if (tag !== undefined) await this.git('tag', '-f', tag);
    const force = (options.force ?? amend) ? ['--force'] : [];
    const refs = [`HEAD:refs/heads/${branch}`, ...(tag === undefined ? [] : [`refs/tags/${tag}`])];
    await this.git('push', '-q', ...force, 'origin', ...refs);
    return this.git('rev-parse', 'HEAD');
  }

  /** Any git command in the clone (`--git-dir=${repository.bare}` for the other); its output without the last newline. */
  git(...args: string[]): Promise<string> {
    return this.#run(args);
  }

  async #switchTo(branch: string): Promise<void> {
    if (branch === this.#branch) return;
    const known = await this.git('for-each-ref', `refs/heads/${branch}`);
    await this.git('checkout', '-q', ...(known ? [] : ['-b']), branch);
    this.#branch = branch;
  }

  async #change(files: Files, symlinks: Record<string, string>): Promise<void> {
    // Deletions first: a file may make room for a folder of the same name.
    for (const path of Object.keys(files)) {
      if (files[path] === null) await rm(join(this.dir, path), { recursive: true });
    }
    for (const [path, content] of Object.entries(files)) {
      if (content === null) continue;
      await mkdir(dirname(join(this.dir, path)), { recursive: true });
      await writeFile(join(this.dir, path), content);
    }
    for (const [path, target] of Object.entries(symlinks)) {
      await mkdir(dirname(join(this.dir, path)), { recursive: true });
      await rm(join(this.dir, path), { force: true });
      await symlink(target, join(this.dir, path));
    }
  }

  async #run(args: string[], input = ''): Promise<string> {
    const child = spawn('git', args, { cwd: this.dir, env: environment(this.#access()) });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input);
    const exit = once(child, 'close') as Promise<[number | null]>;
    const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    if (code !== 0) throw new Error(`git ${args.join(' ')} failed (${code}): ${complaint.trim()}`);
    return output.trimEnd();
  }
}

function environment({ auth, caFile }: Access): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_LITERAL_PATHSPECS: '1',
    GIT_AUTHOR_NAME: 'Ann Author',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    GIT_COMMITTER_NAME: 'Ann Author',
    GIT_COMMITTER_EMAIL: 'ann@example.com',
    ...gitConfig({
      'init.defaultBranch': 'main',
      'gc.auto': '0',
      'core.fsync': 'none',
      'http.proxy': '',
      ...(caFile === undefined ? {} : { 'http.sslCAInfo': caFile }),
      ...(auth === undefined ? {} : { 'http.extraHeader': `Authorization: ${authorization(auth)}` }),
    }),
  };
}

/** The value of the Authorization header. */
export function authorization(auth: NonNullable<Remote['auth']>): string {
  if ('bearerToken' in auth) return `Bearer ${auth.bearerToken}`;
  return `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`;
}

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import type { Remote } from '../src/git/remote.ts';
import { gitConfig } from './git-backend.ts';

/** Content by path; null deletes the file or folder, before anything is written. */
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
  /** Path → commit of the other repository. */
  submodules?: Record<string, string>;
}

/** How the git CLI reaches the server; asked anew for each call. */
export interface Access {
  auth?: Remote['auth'];
  caFile?: string;
}

/** A repository on the server, beside the clone through which a test writes to it. One write at a time. */
export class Repository {
  readonly url: string;
  /** The clone. It has no work tree: commits are made by `git fast-import`, which is fast with thousands of files too. */
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
    mkdirSync(dir, { recursive: true });
    await repository.git('init', '-q', '--bare', '--template=', bare);
    await repository.git('init', '-q', '--bare', '--template=');
    await repository.git('remote', 'add', 'origin', url);
    return repository;
  }

  /** Commits and pushes, with the git CLI over HTTP; the commit's id. Without a change the commit is empty. */
  async write(files: Files, message = 'change', options: WriteOptions = {}): Promise<string> {
    const { branch = this.#branch, amend = false, tag } = options;
    const base = (await this.#tip(branch)) ?? (await this.#tip(this.#branch));
    if (branch !== this.#branch) await this.git('symbolic-ref', 'HEAD', `refs/heads/${branch}`);
    this.#branch = branch;
    const sha = await this.#run(
      ['fast-import', '--quiet', '--force', '--date-format=now'],
      Buffer.concat([
        commitHead(branch, message, options.author ?? AUTHOR),
        ...(base === undefined ? [] : startFrom(base, amend)),
        ...changes(files, options),
        Buffer.from('get-mark :1\n'),
        Buffer.from(tag === undefined ? '' : `reset refs/tags/${tag}\nfrom :1\n`),
      ]),
    );
    const force = (options.force ?? amend) ? ['--force'] : [];
    const refs = [branch, ...(tag === undefined ? [] : [tag])];
    await this.git('push', '-q', ...force, 'origin', ...refs);
    return sha;
  }

  /** Any git command in the clone (`--git-dir=${repository.bare}` for the other); its output without the last newline. */
  git(...args: string[]): Promise<string> {
    return this.#run(args);
  }

  async #tip(branch: string): Promise<Tip | undefined> {
    const known = await this.git('for-each-ref', '--format=%(objectname) %(tree) %(parent)', `refs/heads/${branch}`);
    const [commit, tree, parent] = known.split(' ');
    return commit && tree ? { commit, tree, parent } : undefined;
  }

  async #run(args: string[], input: string | Buffer = ''): Promise<string> {
    const child = spawn('git', args, { cwd: this.dir, env: environment(this.#access()) });
    child.stdin.on('error', () => {}); // it may end without reading
    child.stdin.end(input);
    const exit = once(child, 'close') as Promise<[number | null]>;
    const [output, complaint, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exit]);
    if (code !== 0) throw new Error(`git ${args.join(' ')} failed (${code}): ${complaint.trim()}`);
    return output.trimEnd();
  }
}

interface Tip {
  commit: string;
  tree: string;
  parent: string | undefined;
}

const AUTHOR = 'Ann Author <ann@example.com>';

// The stream of git fast-import; paths are quoted as in C.

function commitHead(branch: string, message: string, author: string): Buffer {
  const head = `commit refs/heads/${branch}\nmark :1\nauthor ${author} now\ncommitter ${AUTHOR} now\n`;
  return Buffer.concat([Buffer.from(head), data(message)]);
}

/** What the commit follows. An amended one takes the place of the tip: its parent, but its tree. */
function startFrom({ commit, tree, parent }: Tip, amend: boolean): Buffer[] {
  if (!amend) return [Buffer.from(`from ${commit}\n`)];
  return [Buffer.from(`${parent ? `from ${parent}\n` : ''}M 040000 ${tree} ""\n`)];
}

function* changes(files: Files, { symlinks = {}, submodules = {} }: WriteOptions): Generator<Buffer> {
  for (const path of Object.keys(files)) if (files[path] === null) yield Buffer.from(`D ${quote(path)}\n`);
  for (const [path, content] of Object.entries(files)) if (content !== null) yield* inline('100644', path, content);
  for (const [path, target] of Object.entries(symlinks)) yield* inline('120000', path, target);
  for (const [path, commit] of Object.entries(submodules)) yield Buffer.from(`M 160000 ${commit} ${quote(path)}\n`);
}

function inline(mode: string, path: string, content: string | Uint8Array): Buffer[] {
  return [Buffer.from(`M ${mode} inline ${quote(path)}\n`), data(content)];
}

function data(content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content as string);
  return Buffer.concat([Buffer.from(`data ${bytes.length}\n`), bytes, Buffer.from('\n')]);
}

function quote(path: string): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}

function environment({ auth, caFile }: Access): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    LC_ALL: 'C',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: 'Ann Author',
    GIT_AUTHOR_EMAIL: 'ann@example.com',
    GIT_COMMITTER_NAME: 'Ann Author',
    GIT_COMMITTER_EMAIL: 'ann@example.com',
    ...gitConfig({
      'init.defaultBranch': 'main',
      'gc.auto': '0',
      'core.fsync': 'none',
      'fastimport.unpackLimit': '1',
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

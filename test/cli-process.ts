import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const ENTRY = join(import.meta.dirname, '../src/cli.ts');

/** Runs `plumbline` to its end. */
export function cli(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return cliWith('', ...args);
}

/** The same, with this text on its stdin. */
export function cliWith(input: string, ...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = { PATH: process.env['PATH'], NODE_NO_WARNINGS: '1' };
  return new Promise((resolve) => {
    const { stdin } = execFile(process.execPath, [ENTRY, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
    // It need not read what nobody asked it to.
    stdin?.on('error', () => undefined);
    stdin?.end(input);
  });
}

/** A folder with these files that goes away at the end of its block. */
export function folder(files: Readonly<Record<string, string>>) {
  const path = mkdtempSync(join(tmpdir(), 'plumbline-cli-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), content);
  }
  return {
    path,
    link: (target: string, name: string) => symlinkSync(target, join(path, name)),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

const edge = (kind: string, namespace: string, name: string, spec: object) =>
  JSON.stringify({ apiVersion: 'getambassador.io/v3alpha1', kind, metadata: { name, namespace }, spec });

export const LISTENER = edge('Listener', 'team-a', 'http', {
  port: 8080,
  protocol: 'HTTP',
  securityModel: 'XFP',
  hostBinding: { namespace: { from: 'ALL' } },
});
export const HOST = edge('Host', 'team-a', 'a', {
  hostname: 'a.example.com',
  requestPolicy: { insecure: { action: 'Route' } },
});

/** A Mapping of host a.example.com to `svc`, unless the spec says otherwise. */
export function mapping(name: string, spec: object, namespace = 'team-a'): string {
  return edge('Mapping', namespace, name, { hostname: 'a.example.com', service: 'svc', ...spec });
}

// `npm run build`: everything that runs, in a few files without node_modules. @kubernetes/client-node lands in a chunk of its
// own that only a kubeconfig loads; the Git worker is an entry of its own, because a thread starts from a file.
import { chmodSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import type { Metafile } from 'esbuild';

const root = join(import.meta.dirname, '..');

/** Output name → source. */
const ENTRIES = {
  'plumbline-operator': 'src/launch.ts',
  'git-worker': 'src/git/worker.ts',
  'edge-thread': 'src/gate/thread.ts',
  plumbline: 'src/cli.ts',
};

// Packages written as CommonJS expect these three; an ES module has none of them.
const BANNER = `// Plumbline, Apache-2.0. Licences of the packages in here: THIRD-PARTY-LICENSES.txt
import { createRequire as createPlumblineRequire } from 'node:module';
const require = createPlumblineRequire(import.meta.url);
const __filename = import.meta.filename;
const __dirname = import.meta.dirname;`;

/** Bundles the operator into `outdir`, which is emptied first. Rejects with esbuild's messages. */
export async function bundle(outdir: string, entries: Record<string, string> = ENTRIES): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outdir,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    chunkNames: 'chunk-[hash]',
    banner: { js: BANNER },
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES.txt'), licences(metafile));
  // The start-up of an ES module needs to know that it is one, wherever the files are copied to.
  writeFileSync(join(outdir, 'package.json'), '{"type":"module"}\n');
  for (const name of Object.keys(entries)) chmodSync(join(outdir, `${name}.js`), 0o755);
}

/** The licence of every package of which a part is in the bundle. */
function licences(metafile: Metafile): string {
  const folders = Object.keys(metafile.inputs)
    .map((file) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(file)?.[0])
    .filter((folder) => folder !== undefined);
  return [...new Set(folders)]
    .sort()
    .map((folder) => licence(join(root, folder)))
    .join('\n');
}

function licence(folder: string): string {
  const about = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>;
  const files = readdirSync(folder).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  const texts = files.map((name) => readFileSync(join(folder, name), 'utf8').trim());
  return [`=== ${String(about['name'])} ${String(about['version'])} (${String(about['license'])})`, ...texts, ''].join(
    '\n\n',
  );
}

if (import.meta.main) {
  const outdir = join(root, 'dist');
  await bundle(outdir);
  for (const file of readdirSync(outdir).sort()) console.log(relative(root, join(outdir, file)));
}

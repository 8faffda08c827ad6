import { RULES } from '../edge/rules/table.ts';
import { RULE_FAILED } from '../edge/judge.ts';
import { TerminalError } from '../errors.ts';
import about from '../../package.json' with { type: 'json' };
import type { Arguments } from './arguments.ts';
import { diff } from './diff.ts';
import { humanDiff } from './diff-human.ts';
import { lint } from './lint.ts';
import { humanReport } from './report-human.ts';
import { jsonReport, jsonText } from './report-json.ts';
import { markdownReport } from './report-markdown.ts';
import { sarifReport } from './report-sarif.ts';
import type { Report } from './report.ts';
import { humanRoutes } from './routes-human.ts';
import { jsonDiff, jsonRoutes } from './routes-json.ts';
import { markdownDiff, markdownRoutes } from './routes-markdown.ts';
import { routes } from './routes.ts';
import type { Paint } from './terminal.ts';

/** What is printed, and the exit code: 0 nothing, 1 findings or differences, 2 files that could not be read. */
export interface Outcome {
  readonly text: string;
  readonly code: 0 | 1 | 2;
}

/** Runs one command. Throws PlumblineError for what leaves nothing to print. */
export async function run(args: Arguments, paint: Paint): Promise<Outcome> {
  for (const rule of args.ignore) assertRule(rule);
  switch (args.command) {
    case 'lint': {
      const { report, failed } = await lint(args);
      return { text: reportText(report, args, paint), code: codeOf(report.problems, failed) };
    }
    case 'routes': {
      const result = await routes(args);
      const nobody = result.answers?.every(({ served }) => served.length === 0) ?? false;
      const { output } = args;
      const text =
        output === 'json'
          ? jsonText(jsonRoutes(result))
          : output === 'markdown'
            ? markdownRoutes(result)
            : humanRoutes(result, paint);
      return { text, code: codeOf(result.problems, nobody) };
    }
    case 'diff': {
      const result = await diff(args);
      const { output } = args;
      const text =
        output === 'json'
          ? jsonText(jsonDiff(result))
          : output === 'markdown'
            ? markdownDiff(result)
            : humanDiff(result, paint);
      return { text, code: codeOf(result.report.problems, result.isDifferent) };
    }
  }
}

/** A typo would leave the rule in force without a word, and a rule that is gone would be ignored for ever. */
function assertRule(rule: string): void {
  if (rule === RULE_FAILED.id || RULES.some(({ id }) => id === rule)) return;
  throw new TerminalError(
    'InvalidUsage',
    `--ignore ${rule}: there is no such rule; docs/reference/findings.md has them all`,
  );
}

function codeOf(problems: readonly unknown[], found: boolean): Outcome['code'] {
  return problems.length > 0 ? 2 : found ? 1 : 0;
}

function reportText(report: Report, { output }: Arguments, paint: Paint): string {
  switch (output) {
    case 'human':
      return humanReport(report, paint);
    case 'json':
      return jsonText(jsonReport(report));
    case 'markdown':
      return markdownReport(report);
    case 'sarif':
      return jsonText(sarifReport(report, [RULE_FAILED, ...RULES], about.version));
  }
}

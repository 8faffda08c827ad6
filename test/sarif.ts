// What SARIF 2.1.0 (OASIS, sections 3.13 to 3.58) and GitHub's code scanning ask of a log, as far as `plumbline lint` writes it.

type Json = Record<string, unknown>;

const LEVELS = ['none', 'note', 'warning', 'error'];

/** Everything that is wrong with a log; empty for a good one. */
export function sarifProblems(log: unknown): string[] {
  const problems: string[] = [];
  const need = (holds: boolean, what: string) => void (holds || problems.push(what));
  const { version, runs } = log as { version: unknown; runs: Json[] };
  need(version === '2.1.0', 'version');
  for (const { tool, invocations, results } of runs as {
    tool: { driver: Json };
    invocations: Json[];
    results: Json[];
  }[]) {
    const rules = tool.driver['rules'] as Json[];
    need(isText(tool.driver['name']), 'driver.name');
    need(new Set(rules.map(({ id }) => id)).size === rules.length, 'rules have unique ids');
    for (const { id, shortDescription, fullDescription, help, defaultConfiguration } of rules) {
      for (const text of [shortDescription, fullDescription, help])
        need(isMessage(text), `texts of rule ${String(id)}`);
      need(LEVELS.includes(String((defaultConfiguration as Json)['level'])), `level of rule ${String(id)}`);
    }
    for (const { executionSuccessful, toolExecutionNotifications } of invocations) {
      need(typeof executionSuccessful === 'boolean', 'executionSuccessful');
      for (const { level, message, locations = [] } of toolExecutionNotifications as Json[]) {
        need(LEVELS.includes(String(level)) && isMessage(message), 'a notification has level and message');
        for (const location of locations as Json[]) need(isPlace(location), 'the place of a notification');
      }
    }
    const fingerprints = new Set<string>();
    for (const {
      ruleId,
      ruleIndex,
      level,
      message,
      locations,
      relatedLocations = [],
      partialFingerprints,
    } of results) {
      const name = String(ruleId);
      need(rules[ruleIndex as number]?.['id'] === ruleId, `${name}: ruleIndex`);
      need(LEVELS.includes(String(level)) && isMessage(message), `${name}: level and message`);
      // Without a file GitHub refuses the whole run.
      need((locations as Json[]).length > 0, `${name}: locations`);
      for (const location of [...(locations as Json[]), ...(relatedLocations as Json[])])
        need(isPlace(location), `${name}: place`);
      const marks = Object.values(partialFingerprints as Json);
      need(marks.length > 0 && marks.every(isText), `${name}: fingerprints`);
      need(!fingerprints.has(JSON.stringify(marks)), `${name}: a fingerprint of its own`);
      fingerprints.add(JSON.stringify(marks));
    }
  }
  return problems;
}

function isPlace({ physicalLocation }: Json): boolean {
  const { artifactLocation, region } = (physicalLocation ?? {}) as { artifactLocation?: Json; region?: Json };
  const uri = artifactLocation?.['uri'];
  const isReference = isText(uri) && URL.canParse(uri, 'file:///folder/') && !/^[a-z][a-z0-9+.-]*:/i.test(uri);
  return isReference && (region === undefined || Number(region['startLine']) >= 1);
}

function isMessage(message: unknown): boolean {
  return isText((message as Json | undefined)?.['text']);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

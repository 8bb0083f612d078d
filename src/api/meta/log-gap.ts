/**
 * The line that stands in a container's log in the place of lines that are missing. What writes or reads a
 * log for a user puts it there, so that nothing is lost in silence; the CLI finds it again and adds the numbers up.
 */

const GAP = /^(?:\d{4}-\d\d-\d\dT\S+ )?\[stint: (\d+) lines? of this log (?:is|are) missing here: .*\]$/;

/** The line for `lines` lines, at least one, that are missing for the reason `why`. */
export function logGapText(lines: number, why: string): string {
	const [noun, verb] = lines === 1 ? ['line', 'is'] : ['lines', 'are'];
	return `[stint: ${lines} ${noun} of this log ${verb} missing here: ${why}]`;
}

/** How many lines are missing in the place of `line`, which may begin with a time; 0 for any other line. */
export function linesMissingAt(line: string): number {
	// Nearly all lines are others, and there may be millions.
	if (!line.endsWith(']')) return 0;
	return Number(GAP.exec(line)?.[1] ?? 0);
}

/**
 * The line that replaces missing lines in a container's log. The log writer or reader inserts it, so that no
 * loss goes unreported; the CLI recognizes it and adds up the numbers.
 */

const GAP = /^(?:\d{4}-\d\d-\d\dT\S+ )?\[stint: (\d+) lines? of this log (?:is|are) missing here: .*\]$/;

/** The replacement for `lines` missing lines, at least one. `why` is the reason, as a clause. */
export function logGapText(lines: number, why: string): string {
	const [noun, verb] = lines === 1 ? ['line', 'is'] : ['lines', 'are'];
	return `[stint: ${lines} ${noun} of this log ${verb} missing here: ${why}]`;
}

/** The number of missing lines that `line` stands for, with or without a timestamp; 0 for any other line. */
export function linesMissingAt(line: string): number {
	// A cheap check first: nearly all lines are ordinary ones, and a log can have millions.
	if (!line.endsWith(']')) return 0;
	return Number(GAP.exec(line)?.[1] ?? 0);
}

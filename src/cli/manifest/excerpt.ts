import type { Problem, Span } from './document.ts';

/** Characters of a line that are shown; of a longer line the part around the problem. */
const WIDTH = 100;

/**
 * The text for a problem, with its place:
 *
 *     job.yaml:6:3: unknown field "spec.backofLimit"
 *        6 |   backofLimit: 0
 *          |   ^^^^^^^^^^^ did you mean "backoffLimit"?
 */
export function describeProblem({ file, span, message, hint }: Problem): string {
	const head = `${file.name}:${span.line}:${span.column}: ${message}`;
	const line = file.text.split('\n')[span.line - 1]?.replace(/\r$/, '') ?? '';
	if (line.trim() === '') return hint ? `${head} (${hint})` : head;
	return `${head}\n${excerpt(line, span, hint)}`;
}

function excerpt(line: string, { line: number, column, length }: Span, hint = ''): string {
	const begin = column - 1 > WIDTH * 0.8 ? column - 1 - WIDTH / 2 : 0;
	const cut = line.length - begin > WIDTH ? `${line.slice(begin, begin + WIDTH)}…` : line.slice(begin);
	// The terminal decides how wide a tab is. An arrow in its place is one column wide, so the marks below it
	// align.
	const shown = cut.replaceAll('\t', '→');
	const indent = column - 1 - begin;
	const marks = '^'.repeat(Math.max(Math.min(length, shown.length - indent), 1));
	const gutter = String(number).padStart(5);
	return `${gutter} | ${shown}\n      | ${' '.repeat(indent)}${marks}${hint ? ` ${hint}` : ''}`;
}

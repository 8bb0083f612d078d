import type { YamlFault } from './documents.ts';

/** What keeps a text from being read, in words that say what to do; `offset` is where. */
export interface SyntaxProblem {
	readonly message: string;
	readonly offset: number;
	readonly hint?: string;
}

/** A fault in our words, where those of the YAML reader would puzzle a beginner. */
export function syntaxProblem({ problem, offset }: YamlFault, text: string): SyntaxProblem {
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
	const indentation = /^\s*/.exec(line)?.[0] ?? '';
	if (indentation.includes('\t')) {
		const tab = lineStart + indentation.indexOf('\t');
		return { message: 'found a tab where YAML takes only spaces', offset: tab, hint: 'indent with spaces' };
	}
	if (line.includes('{{')) {
		return { message: problem, offset, hint: 'this looks like a template; render it first' };
	}
	const isFirst = offset === lineStart + indentation.length;
	if (problem === 'mapping values are not allowed in this context') {
		return /:\s/.test(text.slice(lineStart, offset))
			? { message: problem, offset, hint: 'a value that holds ": " must stand in quotes' }
			: badIndentation(lineStart + indentation.length);
	}
	if (isFirst && MISPLACED.includes(problem)) return badIndentation(offset);
	const hint = HINTS.get(problem);
	return { message: problem, offset, ...(hint && { hint }) };
}

/** What the reader says of something that begins a line in the wrong column. */
const MISPLACED: readonly string[] = ['did not find expected key', "did not find expected '-' indicator"];

const HINTS: ReadonlyMap<string, string> = new Map([
	["could not find expected ':'", 'each entry of a map is a name, a colon, a blank and a value'],
	['found unexpected end of stream', 'a quote is not closed'],
	['block sequence entries are not allowed in this context', 'a list begins on a line of its own'],
	[
		'found character that cannot start any token',
		'a value that begins with this character must stand in quotes',
	],
	["did not find expected ',' or ']'", 'the items in brackets are parted by commas'],
	["did not find expected ',' or '}'", 'the entries in braces are parted by commas'],
]);

function badIndentation(offset: number): SyntaxProblem {
	const hint = 'entries of the same map or list begin in the same column';
	return { message: 'bad indentation', offset, hint };
}

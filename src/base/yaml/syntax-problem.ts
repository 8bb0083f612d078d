import type { YamlFault } from './documents.ts';

/**
 * A syntax error for the user of a command. `offset` is its position in UTF-16 units, `hint` a likely remedy.
 */
export interface SyntaxProblem {
	readonly message: string;
	readonly offset: number;
	readonly hint?: string;
}

/**
 * Translates a fault into a message that helps a beginner. libyaml reports what its parser expected, which
 * rarely names the mistake: a wrong indentation appears as a missing key. The API server does not use this,
 * since its messages must be upstream's.
 */
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
			? { message: problem, offset, hint: 'a value that contains ": " must be quoted' }
			: badIndentation(lineStart + indentation.length);
	}
	if (isFirst && MISPLACED.includes(problem)) return badIndentation(offset);
	const hint = HINTS.get(problem);
	return { message: problem, offset, ...(hint && { hint }) };
}

/** The reader's messages about a line that starts in the wrong column. */
const MISPLACED: readonly string[] = ['did not find expected key', "did not find expected '-' indicator"];

const HINTS: ReadonlyMap<string, string> = new Map([
	["could not find expected ':'", 'each entry of a map is a name, a colon, a space and a value'],
	['found unexpected end of stream', 'a closing quote is missing'],
	['block sequence entries are not allowed in this context', 'a list must start on a new line'],
	['found character that cannot start any token', 'a value that starts with this character must be quoted'],
	["did not find expected ',' or ']'", 'items in brackets must be separated by commas'],
	["did not find expected ',' or '}'", 'entries in braces must be separated by commas'],
]);

function badIndentation(offset: number): SyntaxProblem {
	const hint = 'entries of the same map or list must start in the same column';
	return { message: 'bad indentation', offset, hint };
}

import type { YAMLParseError } from 'yaml';

/** What the YAML parser met, in words that say what to do; `offset` is where in the text. */
export interface SyntaxProblem {
	readonly message: string;
	readonly offset: number;
	readonly hint?: string;
}

/** A parse error in our words, where the parser's own would puzzle a beginner. */
export function syntaxProblem({ code, message, pos }: YAMLParseError, text: string): SyntaxProblem {
	const [offset] = pos;
	const lineStart = text.lastIndexOf('\n', offset - 1) + 1;
	const line = text.slice(lineStart).split('\n', 1)[0] ?? '';
	const indentation = /^\s*/.exec(line)?.[0] ?? '';
	if (code === 'TAB_AS_INDENT' || indentation.includes('\t')) {
		const tab = indentation.includes('\t') ? lineStart + indentation.indexOf('\t') : offset;
		return { message: 'found a tab where YAML takes only spaces', offset: tab, hint: 'indent with spaces' };
	}
	if (code === 'DUPLICATE_KEY')
		return { message: `the key ${keyAt(text, offset)} stands here a second time`, offset };
	if (code === 'BAD_INDENT') {
		const hint = 'entries of the same map or list begin in the same column';
		return { message: 'bad indentation', offset: lineStart + indentation.length, hint };
	}
	if (code === 'BLOCK_AS_IMPLICIT_KEY' || code === 'MULTILINE_IMPLICIT_KEY')
		return impliedKey(text, offset, message);
	if (line.includes('{{')) return { message, offset, hint: 'this looks like a template; render it first' };
	return { message, offset };
}

/** `a: b: c`, or a line that is indented deeper than what it follows. */
function impliedKey(text: string, offset: number, message: string): SyntaxProblem {
	const rest = text.slice(offset).split('\n', 1)[0] ?? '';
	if (/:( |$)/.test(rest.replace(/^[^:]*$/, '')))
		return { message, offset, hint: 'a value that holds ": " must stand in quotes' };
	const next = text.indexOf('\n', offset) + 1;
	const begin = next + (/^\s*/.exec(text.slice(next))?.[0].length ?? 0);
	return {
		message: 'bad indentation',
		offset: next > 0 && begin < text.length ? begin : offset,
		hint: 'entries of the same map or list begin in the same column',
	};
}

function keyAt(text: string, offset: number): string {
	return JSON.stringify(/^["']?([^"':\n]*)/.exec(text.slice(offset))?.[1]?.trim() ?? '');
}

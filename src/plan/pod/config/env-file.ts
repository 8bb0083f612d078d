/**
 * Environment files in volumes, from which `fileKeyRef` takes variables. The syntax is a strict part of a POSIX shell's:
 * `NAME='value'`, with values in single quotes that may span lines (upstream: `ParseEnv` in pkg/kubelet/util/env).
 */

/** Maximum length of a line, in characters; upstream's scanner refuses longer ones. */
const LONGEST_LINE = 64 * 1024;

/**
 * The value of the variable `key` in the text of an environment file; empty if it is not set or set to nothing. Throws
 * if a line up to the variable is malformed. Lines after it are not checked, as upstream.
 */
export function variableInFile(text: string, key: string): string {
	const lines = new Lines(text);
	for (let line = lines.next(); line !== undefined; line = lines.next()) {
		const written = line.replace(/^[ \t]+/, '');
		if (written === '' || written.startsWith('#')) continue;
		const equals = written.indexOf('=');
		if (equals < 0) throw lines.malformed("missing '='");
		const name = written.slice(0, equals);
		if (/^[ \t]*$/.test(name)) throw lines.malformed('empty variable name');
		if (/[ \t]$/.test(name)) throw lines.malformed("whitespace before '=' is not allowed");
		const value = valueFrom(written.slice(equals + 1), lines);
		if (name === key) return value;
	}
	return '';
}

/** The value that starts with `rest`, the text after `=`. As in a shell, a blank there ends an empty value. */
function valueFrom(rest: string, lines: Lines): string {
	if (/^[ \t]/.test(rest)) return '';
	if (!rest.startsWith("'")) throw lines.malformed('value must be enclosed in single quotes');
	const start = lines.number;
	const parts: string[] = [];
	let part: string | undefined = rest.slice(1);
	while (part !== undefined) {
		const close = part.indexOf("'");
		if (close >= 0) {
			if (!/^[ \t]*(#|$)/.test(part.slice(close + 1)))
				throw lines.malformed('unexpected content after closing quote');
			return [...parts, part.slice(0, close)].join('\n');
		}
		parts.push(part);
		part = lines.next();
	}
	throw new Error(`invalid environment variable format starting at line ${start}: unclosed single quote`);
}

/** The lines of a text, one after the other. */
class Lines {
	readonly #lines: readonly string[];
	/** The number of the line that {@link next} has returned last. */
	number = 0;

	constructor(text: string) {
		const lines = text.split('\n');
		if (lines.at(-1) === '') lines.pop();
		this.#lines = lines;
	}

	next(): string | undefined {
		const line = this.#lines[this.number];
		if (line === undefined) return undefined;
		this.number += 1;
		if (line.length > LONGEST_LINE) throw this.malformed('token too long');
		return line.replace(/\r$/, '');
	}

	malformed(why: string): Error {
		return new Error(`invalid environment variable format at line ${this.number}: ${why}`);
	}
}

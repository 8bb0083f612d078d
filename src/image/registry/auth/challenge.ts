/** What a registry wants as authorization: a challenge in its WWW-Authenticate header (RFC 9110, 11.6.1). */
export interface Challenge {
	/** In lower case: `basic`, `bearer`, … */
	readonly scheme: string;
	/** By name in lower case. */
	readonly parameters: ReadonlyMap<string, string>;
}

/** Far more than a registry sends; the rest is ignored. */
const MAX_HEADER_LENGTH = 16 * 1024;

const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/sy;
const GAP = /[\s,]*/y;
const EQUALS = /\s*=\s*/y;

/** The challenges of the header, in order. A malformed rest is ignored. */
export function parseChallenges(header: string): readonly Challenge[] {
	const text = header.slice(0, MAX_HEADER_LENGTH);
	const challenges: { readonly scheme: string; readonly parameters: Map<string, string> }[] = [];
	let at = 0;
	const read = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = at;
		const found = pattern.exec(text);
		if (found) at = pattern.lastIndex;
		return found;
	};
	for (;;) {
		read(GAP);
		const name = read(TOKEN)?.[0].toLowerCase();
		if (name === undefined) return challenges;
		if (!read(EQUALS)) {
			challenges.push({ scheme: name, parameters: new Map() });
			continue;
		}
		const quoted = read(QUOTED);
		const value = quoted ? quoted[1]?.replace(/\\(.)/gs, '$1') : read(TOKEN)?.[0];
		if (value === undefined) return challenges;
		challenges.at(-1)?.parameters.set(name, value);
	}
}

/**
 * Finds fields that stand twice in an object of a JSON text, which JSON.parse lets pass: the last one
 * wins there. Only strict requests ask, so the text is gone through once more just for them.
 */

/**
 * The paths of fields that occur more than once in their object, each named once: `spec.template`,
 * `spec.containers[0].image`. The text must be one that JSON.parse accepts.
 */
export function duplicateFields(text: string): readonly string[] {
	const found = new Set<string>();
	const open: Frame[] = [];
	const end = text.length;
	let at = 0;
	while (at < end) {
		const char = text.charCodeAt(at);
		if (char === QUOTE) {
			const close = endOfString(text, at);
			const frame = open.at(-1);
			if (frame?.expectsKey) enter(frame, text.slice(at, close), open, found);
			at = close;
			continue;
		}
		if (char === OPEN_BRACE) open.push({ keys: new Set(), expectsKey: true, key: '', index: -1 });
		else if (char === OPEN_BRACKET) open.push({ keys: undefined, expectsKey: false, key: '', index: 0 });
		else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) open.pop();
		else if (char === COMMA) next(open.at(-1));
		at++;
	}
	return [...found];
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const COMMA = 0x2c;

/** An object (which has keys) or a list that is being read. */
interface Frame {
	readonly keys: Set<string> | undefined;
	/** Whether the next text is a key; between a key and the comma it is a value. */
	expectsKey: boolean;
	key: string;
	index: number;
}

function next(frame: Frame | undefined): void {
	if (frame?.keys) frame.expectsKey = true;
	else if (frame) frame.index++;
}

function enter(frame: Frame, literal: string, open: readonly Frame[], found: Set<string>): void {
	frame.key = literal.includes('\\') ? String(JSON.parse(literal)) : literal.slice(1, -1);
	frame.expectsKey = false;
	if (frame.keys?.has(frame.key)) found.add(pathOf(open));
	else frame.keys?.add(frame.key);
}

/** The position after the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
	let at = text.indexOf('"', start + 1);
	while (at >= 0 && isEscaped(text, at)) at = text.indexOf('"', at + 1);
	return at < 0 ? text.length : at + 1;
}

function isEscaped(text: string, at: number): boolean {
	let backslashes = 0;
	while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
	return backslashes % 2 === 1;
}

function pathOf(open: readonly Frame[]): string {
	let path = '';
	for (const frame of open) {
		if (!frame.keys) path += `[${frame.index}]`;
		else path += path === '' ? frame.key : `.${frame.key}`;
	}
	return path;
}

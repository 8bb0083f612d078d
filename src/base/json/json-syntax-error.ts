/** The text is not JSON. The message is the one of Go's decoder. */
export class JsonSyntaxError extends SyntaxError {
	override readonly name = 'JsonSyntaxError';
	/** The place of the error in the text, in UTF-16 units. */
	readonly offset: number;

	constructor(message: string, offset: number) {
		super(message);
		this.offset = offset;
	}
}

/** The error of an unexpected character, or of the end, at `at`; `context` says what was being read. */
export function unexpected(text: string, at: number, context: string): JsonSyntaxError {
	if (at < text.length) {
		return new JsonSyntaxError(`invalid character ${shownCharacter(text, at)} ${context}`, at);
	}
	// Go's scanner adds a space at the end of the text, which is an error inside a literal, a number or an escape.
	const message = SPACE_IS_WRONG.test(context)
		? `invalid character ' ' ${context}`
		: 'unexpected end of JSON input';
	return new JsonSyntaxError(message, at);
}

const SPACE_IS_WRONG = /numeric literal$|^in literal|escape/;

/** Go reads bytes and quotes the offending byte as a character: for `é` its first byte, as `Ã`. */
function shownCharacter(text: string, at: number): string {
	const code = text.codePointAt(at) ?? 0;
	const byte = code < 0x80 ? code : (new TextEncoder().encode(String.fromCodePoint(code))[0] ?? 0);
	if (byte === 0x27) return "'\\''";
	if (byte >= 0x20 && byte !== 0x5c && byte !== 0x7f && !(byte >= 0x80 && byte <= 0xa0) && byte !== 0xad) {
		return `'${String.fromCharCode(byte)}'`;
	}
	const short = SHORT_ESCAPES[byte];
	if (short !== undefined) return `'${short}'`;
	return byte < 0x80
		? `'\\x${byte.toString(16).padStart(2, '0')}'`
		: `'\\u${byte.toString(16).padStart(4, '0')}'`;
}

const SHORT_ESCAPES: Readonly<Record<number, string>> = {
	7: '\\a',
	8: '\\b',
	9: '\\t',
	10: '\\n',
	11: '\\v',
	12: '\\f',
	13: '\\r',
	92: '\\\\',
};

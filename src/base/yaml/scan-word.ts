/**
 * Scans the short parts of YAML: directives, anchors, aliases and tags. Kubernetes objects need none of these,
 * but upstream accepts them, and its errors about them appear in responses. The messages are go-yaml's.
 */

import { type Cursor, isBlank, isBlankOrEnd, isBreak, isBreakOrEnd, isWordCharacter } from './cursor.ts';

/** A directive: a line that starts with `%`. */
export type Directive =
	| { readonly name: 'YAML'; readonly major: number; readonly minor: number }
	| { readonly name: 'TAG'; readonly handle: string; readonly prefix: string };

/** Reads a directive with its line break; the cursor is at the `%`. */
export function scanDirective(cursor: Cursor): Directive {
	cursor.at++;
	const name = scanWord(cursor);
	if (name === '') throw cursor.error('could not find expected directive name');
	if (!isBlankOrEnd(cursor.code())) throw cursor.error('found unexpected non-alphabetical character');
	if (name !== 'YAML' && name !== 'TAG') throw cursor.error('found unknown directive name');
	cursor.skipBlanks();
	const directive = name === 'YAML' ? scanVersion(cursor) : scanTagDirective(cursor);
	cursor.skipBlanks();
	cursor.skipComment();
	if (!isBreakOrEnd(cursor.code())) throw cursor.error('did not find expected comment or line break');
	if (isBreak(cursor.code())) cursor.readBreak();
	return directive;
}

/** `1.1`; the composer rejects any other version. */
function scanVersion(cursor: Cursor): Directive {
	const major = scanVersionNumber(cursor);
	if (!cursor.is('.')) throw cursor.error("did not find expected digit or '.' character");
	cursor.at++;
	return { name: 'YAML', major, minor: scanVersionNumber(cursor) };
}

function scanVersionNumber(cursor: Cursor): number {
	const start = cursor.at;
	while (cursor.code() >= 0x30 && cursor.code() <= 0x39) {
		if (cursor.at - start === 2) throw cursor.error('found extremely long version number');
		cursor.at++;
	}
	if (cursor.at === start) throw cursor.error('did not find expected version number');
	return Number(cursor.text.slice(start, cursor.at));
}

/** `!e! tag:example.com,2000:` defines the prefix for the handle `!e!`. */
function scanTagDirective(cursor: Cursor): Directive {
	const handle = scanTagHandle(cursor);
	if (handle !== '!' && !handle.endsWith('!')) throw cursor.error("did not find expected '!'");
	if (!isBlank(cursor.code())) throw cursor.error('did not find expected whitespace');
	cursor.skipBlanks();
	const prefix = scanTagUri(cursor);
	if (prefix === undefined) throw cursor.error('did not find expected tag URI');
	if (!isBlankOrEnd(cursor.code())) throw cursor.error('did not find expected whitespace or line break');
	return { name: 'TAG', handle, prefix };
}

/** Reads the name of an anchor or alias; the cursor is at the `&` or `*`. */
export function scanAnchor(cursor: Cursor): string {
	cursor.at++;
	const name = scanWord(cursor);
	if (name === '' || !(isBlankOrEnd(cursor.code()) || AFTER_ANCHOR.includes(cursor.text[cursor.at] ?? ''))) {
		throw cursor.error('did not find expected alphabetic or numeric character');
	}
	return name;
}

/** The indicators that may follow the name of an anchor without a space, as in libyaml. */
const AFTER_ANCHOR = '?:,]}%@`';

/** A tag as it is written: `!!str` has the handle `!!` and the suffix `str`; `!<x>` has only the suffix `x`. */
export interface WrittenTag {
	readonly handle: string;
	readonly suffix: string;
}

/** Reads a tag; the cursor is at its `!`. */
export function scanTag(cursor: Cursor): WrittenTag {
	const tag = cursor.code(1) === 0x3c ? scanVerbatimTag(cursor) : scanShortTag(cursor);
	if (!isBlankOrEnd(cursor.code())) throw cursor.error('did not find expected whitespace or line break');
	return tag;
}

/** `!<tag:yaml.org,2002:str>`: the full tag, which has no handle. */
function scanVerbatimTag(cursor: Cursor): WrittenTag {
	cursor.at += 2;
	const suffix = scanTagUri(cursor);
	if (suffix === undefined) throw cursor.error('did not find expected tag URI');
	if (!cursor.is('>')) throw cursor.error("did not find the expected '>'");
	cursor.at++;
	return { handle: '', suffix };
}

/** `!!str`, `!handle!suffix` or `!local`. A single `!` means that the scalar is not resolved by its text. */
function scanShortTag(cursor: Cursor): WrittenTag {
	const start = scanTagHandle(cursor);
	if (start.length > 1 && start.endsWith('!')) {
		const suffix = scanTagUri(cursor);
		if (suffix === undefined) throw cursor.error('did not find expected tag URI');
		return { handle: start, suffix };
	}
	// There is no second `!`, so the word behind the first is the start of the suffix and not a handle.
	const suffix = start.slice(1) + (scanTagUri(cursor) ?? '');
	return suffix === '' ? { handle: '', suffix: '!' } : { handle: '!', suffix };
}

/** A `!`, a word, and a second `!` if there is one. */
function scanTagHandle(cursor: Cursor): string {
	if (!cursor.is('!')) throw cursor.error("did not find expected '!'");
	cursor.at++;
	const word = scanWord(cursor);
	if (!cursor.is('!')) return `!${word}`;
	cursor.at++;
	return `!${word}!`;
}

/** Reads the characters of a URI and decodes their escapes; undefined if there are none. */
function scanTagUri(cursor: Cursor): string | undefined {
	const bytes: string[] = [];
	const longest = cursor.at + MAX_URI_LENGTH;
	for (;;) {
		if (cursor.at > longest) throw cursor.error(`found a tag of more than ${MAX_URI_LENGTH} characters`);
		const char = cursor.text[cursor.at] ?? '';
		if (char === '%') bytes.push(scanUriEscapes(cursor));
		else if (isWordCharacter(cursor.code()) || (char !== '' && URI_PUNCTUATION.includes(char))) {
			bytes.push(char);
			cursor.at++;
		} else return bytes.length === 0 ? undefined : bytes.join('');
	}
}

/** Maximum length of a tag, far more than any real tag has. libyaml has no limit. */
const MAX_URI_LENGTH = 1024;

const URI_PUNCTUATION = ";/?:@&=+$,.!~*'()[]";

/** Reads one character that is written as the escaped bytes of its UTF-8, such as `%C3%A9`. */
function scanUriEscapes(cursor: Cursor): string {
	const bytes: number[] = [];
	let length = 1;
	while (bytes.length < length) {
		const hex = /^%([\dA-Fa-f]{2})/.exec(cursor.text.slice(cursor.at, cursor.at + 3))?.[1];
		if (hex === undefined) throw cursor.error('did not find URI escaped octet');
		const byte = Number.parseInt(hex, 16);
		if (bytes.length === 0) {
			length = utf8LengthOf(byte);
			if (length === 0) throw cursor.error('found an incorrect leading UTF-8 octet');
		} else if ((byte & 0xc0) !== 0x80) throw cursor.error('found an incorrect trailing UTF-8 octet');
		bytes.push(byte);
		cursor.at += 3;
	}
	return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** The length in bytes of the UTF-8 character that starts with `byte`; 0 if no character can start with it. */
export function utf8LengthOf(byte: number): number {
	if (byte < 0x80) return 1;
	if ((byte & 0xe0) === 0xc0) return 2;
	if ((byte & 0xf0) === 0xe0) return 3;
	return (byte & 0xf8) === 0xf0 ? 4 : 0;
}

function scanWord(cursor: Cursor): string {
	const start = cursor.at;
	while (isWordCharacter(cursor.code())) cursor.at++;
	return cursor.text.slice(start, cursor.at);
}

/**
 * Reads YAML as Kubernetes does (sigs.k8s.io/yaml over go-yaml 2): YAML 1.1, with libyaml's grammar and
 * errors.
 *
 * 1. Only the first document of a text is read; the text behind it is not even scanned.
 * 2. Time and memory are linear in the text. Depth and number of values are limited, and an alias counts as
 *    many values as the node it refers to.
 *
 * Order of reading: cursor.ts, scan-scalar.ts, scan-word.ts, scanner.ts (text to tokens), composer.ts (tokens
 * to nodes), resolve.ts and values.ts (nodes to JSON values), documents.ts (all documents of a file, for the
 * command line).
 *
 * The packages `yaml` and `js-yaml` were tried and rejected. They read YAML 1.2, so that each difference of
 * the grammar needed a workaround, their error messages differ from upstream's, and `yaml` takes quadratic
 * time for maps and aliases (90 s for 200,000 keys).
 */

import { Composer } from './composer.ts';
import { YamlError, YamlLimitError } from './cursor.ts';
import type { YamlLimits } from './node-tree.ts';
import { NoJsonError } from './resolve.ts';
import { utf8LengthOf } from './scan-word.ts';
import { type YamlValue, yamlValueOf } from './values.ts';

export { NoJsonError, YamlError, YamlLimitError };

/** The value of the first document in `text`; null if there is none. Throws as {@link yamlValueOf} does. */
export function readYaml(text: string, limits: YamlLimits): YamlValue {
	const reader = new YamlReader(text, limits);
	reader.run(Infinity);
	return reader.value();
}

/**
 * As {@link readYaml}, but awaits `pause` after each piece, so that a large text does not block the event
 * loop.
 */
export async function readYamlInPieces(
	text: string,
	limits: YamlLimits,
	pause: () => Promise<void>,
): Promise<YamlValue> {
	const reader = new YamlReader(text, limits);
	while (!reader.run(PIECE_LENGTH)) await pause();
	return reader.value();
}

/** Characters per piece. Reading a piece of dense YAML takes a few milliseconds. */
const PIECE_LENGTH = 32 * 1024;

class YamlReader {
	readonly #limits: YamlLimits;
	readonly #composer: Composer;
	readonly #hasDocument: boolean;
	readonly #controlAt: number;

	constructor(text: string, limits: YamlLimits) {
		this.#limits = limits;
		this.#controlAt = text.search(CONTROL);
		this.#composer = new Composer(text, limits);
		this.#hasDocument = this.#guarded(() => this.#composer.begin());
	}

	run(length: number): boolean {
		return !this.#hasDocument || this.#guarded(() => this.#composer.run(length));
	}

	value(): YamlValue {
		if (!this.#hasDocument) return { value: null, repeated: [] };
		return yamlValueOf(
			this.#guarded(() => this.#composer.end()),
			this.#limits,
		);
	}

	/**
	 * Runs `read` and reports a control character in its place. libyaml reads 512 bytes ahead, so it reports a
	 * control character there before any other error.
	 */
	#guarded<T>(read: () => T): T {
		try {
			const result = read();
			this.#checkControl();
			return result;
		} catch (error) {
			if (error instanceof YamlError) this.#checkControl();
			throw error;
		}
	}

	#checkControl(): void {
		if (this.#controlAt < 0) return;
		if (this.#composer.offset < Math.floor(this.#controlAt / READ_AHEAD) * READ_AHEAD) return;
		throw new YamlError('control characters are not allowed');
	}
}

const READ_AHEAD = 512;

/** The characters that YAML 1.1 forbids everywhere in a text. */
const CONTROL = /[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/u;

/** Decodes a body: UTF-16 if it starts with a byte order mark of UTF-16, otherwise UTF-8. Throws a YamlError. */
export function yamlTextOf(bytes: Uint8Array): string {
	const encoding =
		bytes[0] === 0xff && bytes[1] === 0xfe
			? 'utf-16le'
			: bytes[0] === 0xfe && bytes[1] === 0xff
				? 'utf-16be'
				: 'utf-8';
	try {
		return new TextDecoder(encoding, { fatal: true }).decode(bytes);
	} catch (error) {
		if (!(error instanceof TypeError)) throw error;
		throw new YamlError(encoding === 'utf-8' ? utf8Problem(bytes) : 'incomplete UTF-16 character');
	}
}

function utf8Problem(bytes: Uint8Array): string {
	for (let at = 0; at < bytes.length; ) {
		const length = utf8LengthOf(bytes[at] ?? 0);
		if (length === 0) return 'invalid leading UTF-8 octet';
		if (at + length > bytes.length) return 'incomplete UTF-8 octet sequence';
		for (let next = at + 1; next < at + length; next++) {
			if (((bytes[next] ?? 0) & 0xc0) !== 0x80) return 'invalid trailing UTF-8 octet';
		}
		at += length;
	}
	return 'invalid length of a UTF-8 sequence';
}

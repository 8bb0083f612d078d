import { isList, isRecord, type JsonRecord, own } from '../../base/json/json.ts';
import { JsonLimitError, JsonSyntaxError, readJson } from '../../base/json/json-reader.ts';
import { isDigest } from '../digest.ts';
import { type Platform, readPlatform } from './platform.ts';

/**
 * Reads the JSON documents of images, which any registry may send: manifests, indexes and configurations.
 *
 * 1. A document is limited in bytes, depth and number of values before it is looked at.
 * 2. A field that this program uses has the type of the specification, or the document is rejected with a
 *    {@link ManifestError}. Unknown fields are ignored, as the specification requires. `null` counts as absent,
 *    because Go writes empty lists and maps so.
 *
 * Order of reading: this file, media-types.ts, platform.ts, image-manifest.ts, image-config.ts.
 */

/** A document is malformed, exceeds a limit, or describes nothing that this program can run. */
export class ManifestError extends Error {
	override readonly name = 'ManifestError';
}

/** A reference to content by its digest (OCI image specification, "Content Descriptors"). */
export interface Descriptor {
	readonly mediaType: string;
	/** A supported digest; see digest.ts. */
	readonly digest: string;
	/** In bytes; a whole number, not negative. */
	readonly size: number;
	/** Where else than in the registry the content can be found: for foreign layers. */
	readonly urls?: readonly string[];
	readonly annotations?: Readonly<Record<string, string>>;
	/** In an index: the platform for which the manifest is. */
	readonly platform?: Platform;
}

/** Maximum size of a manifest or index in bytes, as of Docker's registry. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;

/** Maximum size of an image configuration in bytes. */
export const MAX_CONFIG_BYTES = 8 * 1024 * 1024;

const LIMITS = { values: 200_000, depth: 32 };

/** The JSON object in `bytes`. `what` names the document in errors. */
export function readDocument(
	bytes: Uint8Array,
	{ what, maxBytes }: { readonly what: string; readonly maxBytes: number },
): Fields {
	if (bytes.byteLength > maxBytes)
		throw new ManifestError(`${what}: ${bytes.byteLength} bytes exceed the maximum of ${maxBytes}`);
	const value = jsonOf(bytes, what);
	if (!isRecord(value)) throw new ManifestError(`${what}: not a JSON object`);
	return new Fields(value, what);
}

function jsonOf(bytes: Uint8Array, what: string): unknown {
	try {
		return readJson(new TextDecoder().decode(bytes), LIMITS).value;
	} catch (error) {
		if (error instanceof JsonSyntaxError || error instanceof JsonLimitError)
			throw new ManifestError(`${what}: ${error.message}`);
		throw error;
	}
}

/** The fields of an object, by type. Each reader throws {@link ManifestError} for a value of another type. */
export class Fields {
	readonly #record: JsonRecord;
	readonly #path: string;

	/** `path` names the object in errors. */
	constructor(record: JsonRecord, path: string) {
		this.#record = record;
		this.#path = path;
	}

	/** Whether the field is set; null is not. */
	has(key: string): boolean {
		return (own(this.#record, key) ?? undefined) !== undefined;
	}

	/** The text of a field; empty if it is absent. */
	text(key: string): string {
		const value = own(this.#record, key) ?? '';
		if (typeof value !== 'string') throw this.wrong(key, 'is not a string');
		return value;
	}

	/** A whole number that is not negative; undefined if it is absent. */
	count(key: string): number | undefined {
		const value = own(this.#record, key) ?? undefined;
		if (value === undefined) return undefined;
		if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
			throw this.wrong(key, 'is not a whole number of 0 or more');
		return value;
	}

	/** A boolean; false if it is absent. */
	flag(key: string): boolean {
		const value = own(this.#record, key) ?? false;
		if (typeof value !== 'boolean') throw this.wrong(key, 'is not a boolean');
		return value;
	}

	/** The texts of a list; undefined if it is absent. */
	texts(key: string): readonly string[] | undefined {
		if (!this.has(key)) return undefined;
		return this.#list(key).map((each) => {
			if (typeof each !== 'string') throw this.wrong(key, 'is not a list of strings');
			return each;
		});
	}

	/** The texts of a map; undefined if it is absent. */
	textMap(key: string): Readonly<Record<string, string>> | undefined {
		if (!this.has(key)) return undefined;
		const entries = Object.entries(this.object(key).#record).map(([name, value]): [string, string] => {
			if (typeof value !== 'string') throw this.wrong(key, 'is not a map of strings');
			return [name, value];
		});
		return Object.fromEntries(entries);
	}

	/** The names of a map, whose values are ignored; empty if it is absent. */
	names(key: string): readonly string[] {
		return this.has(key) ? Object.keys(this.object(key).#record) : [];
	}

	/** The fields of an object; without any if it is absent. */
	object(key: string): Fields {
		const value = own(this.#record, key) ?? {};
		if (!isRecord(value)) throw this.wrong(key, 'is not an object');
		return new Fields(value, `${this.#path}: ${key}`);
	}

	/** The objects of a list; empty if it is absent. */
	objects(key: string): readonly Fields[] {
		if (!this.has(key)) return [];
		return this.#list(key).map((value, index) => {
			if (!isRecord(value)) throw this.wrong(`${key}[${index}]`, 'is not an object');
			return new Fields(value, `${this.#path}: ${key}[${index}]`);
		});
	}

	/** The error about a field of this object. */
	wrong(key: string, problem: string): ManifestError {
		return new ManifestError(`${this.#path}: ${key} ${problem}`);
	}

	#list(key: string): readonly unknown[] {
		const value = own(this.#record, key);
		if (!isList(value)) throw this.wrong(key, 'is not a list');
		return value;
	}
}

/** The descriptor in these fields. */
export function readDescriptor(fields: Fields): Descriptor {
	const mediaType = fields.text('mediaType');
	const digest = fields.text('digest');
	const size = fields.count('size');
	if (mediaType === '') throw fields.wrong('mediaType', 'is missing');
	if (!isDigest(digest)) throw fields.wrong('digest', `${JSON.stringify(digest)} is not a digest`);
	if (size === undefined) throw fields.wrong('size', 'is missing');
	const urls = fields.texts('urls');
	const annotations = fields.textMap('annotations');
	return {
		mediaType,
		digest,
		size,
		...(urls && { urls }),
		...(annotations && { annotations }),
		...(fields.has('platform') && { platform: readPlatform(fields.object('platform')) }),
	};
}

import { badRequest, tooLarge, unsupportedMediaType } from '../api/meta/api-error.ts';
import { jsonKind } from '../api/meta/decode.ts';
import type { ObjectNode } from '../api/meta/schema.ts';
import { countValues, isRecord, own } from '../base/json.ts';
import {
	JsonLimitError,
	type JsonLimits,
	JsonSyntaxError,
	NO_REPEATED_KEYS,
	type RepeatedKeys,
	readJsonInPieces,
} from '../base/json-reader.ts';
import type { Body, Call } from './request.ts';

/** The decode stage's first half: bytes to JSON values, by content type. */

/** A body as a JSON value. */
export interface JsonBody {
	readonly value: unknown;
	/** The objects in it that have keys more than once. */
	readonly repeated: RepeatedKeys;
	/** What else a strict reader refuses: keys that stand twice in YAML, which are told by their lines. */
	readonly complaints: readonly string[];
}

/** What the body of a request should be. */
export interface ExpectedObject {
	readonly kind: string;
	/** The first is the one that errors name; undefined: the version is of no account. */
	readonly apiVersions: readonly string[] | undefined;
	readonly schema: ObjectNode;
	/** What the body may hold, where that is other than {@link BODY_LIMITS} say. */
	readonly limits?: Pick<JsonLimits, 'values' | 'keys'>;
}

/** Reads bodies of one content type. Throws an {@link UnreadableError}, or any error of the API. */
type BodyReader = (bytes: Uint8Array, reading: Reading) => Promise<JsonBody>;

/** What a reader knows of the request. */
interface Reading {
	readonly expected: ExpectedObject;
	/** Awaited between the pieces of a large body. */
	pause(): Promise<void>;
}

/** The bytes are not of the form that the content type says; the message is that of upstream's decoder. */
export class UnreadableError extends Error {
	override readonly name = 'UnreadableError';
}

/** Formats of bodies that are objects. */
const READERS: ReadonlyMap<string, BodyReader> = new Map<string, BodyReader>([
	['application/json', readJson],
	['application/yaml', readYaml],
	['application/vnd.kubernetes.protobuf', readProtobuf],
]);

/** The media types that bodies of objects may have. */
export const OBJECT_MEDIA_TYPES: readonly string[] = [...READERS.keys()];

/**
 * How much a body may hold, beside its size in bytes; those of objects that are stored are limited by
 * object-size.ts. Upstream has no limit on values; here each costs time in the one thread that all requests
 * share. A manifest of 500 containers has 10,000 values.
 */
export const BODY_LIMITS: JsonLimits = { values: 20_000, depth: 1000 };

/** How much a patch may hold: room for 10,000 steps of a JSON patch, each of which has four values. */
const PATCH_LIMITS: JsonLimits = { values: 60_000, depth: 1000 };

/** A JSON value that no text is known of. */
export function bodyOf(value: unknown): JsonBody {
	return { value, repeated: NO_REPEATED_KEYS, complaints: [] };
}

/** The media type without parameters; JSON where the client did not say (`kubectl create --raw`). */
export function mediaTypeOf(contentType: string): string {
	const [type = ''] = contentType.split(';', 1);
	return type.trim().toLowerCase() || 'application/json';
}

/** Whether the request came with a body. */
export function hasBody(body: Body): boolean {
	return body !== undefined && (body.type === 'value' || body.bytes.length > 0);
}

/**
 * The body of a request, as JSON. Throws UnsupportedMediaType, RequestEntityTooLarge, or BadRequest where
 * the bytes cannot be read. Whether it is what was expected is for its decoding to say.
 */
export async function readBody(call: Call, expected: ExpectedObject): Promise<JsonBody> {
	const { body, contentType } = call;
	if (body?.type === 'value') return bodyOf(body.value);
	const reader = READERS.get(mediaTypeOf(contentType));
	if (!reader) throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
	const bytes = body?.bytes ?? new Uint8Array();
	try {
		const read = await reader(bytes, { expected, pause: pauseOf(call) });
		checkTypeMeta(read.value);
		// Nothing is decoded from null, so that the object is an empty one.
		return { ...read, value: read.value ?? {} };
	} catch (error) {
		if (!(error instanceof UnreadableError)) throw error;
		const { message } = error;
		throw badRequest(
			`the object provided is unrecognized (must be of type ${expected.kind}): ${message} (${summaryOf(bytes)})`,
		);
	}
}

/** The body of a patch, as JSON. Throws RequestEntityTooLarge, or BadRequest where it is no JSON. */
export async function readPatchBody(call: Call): Promise<JsonBody> {
	const { body } = call;
	if (body?.type === 'value') return bodyOf(body.value);
	try {
		return await readJsonBytes(body?.bytes ?? new Uint8Array(), PATCH_LIMITS, pauseOf(call));
	} catch (error) {
		throw error instanceof JsonSyntaxError ? badRequest('invalid JSON patch') : error;
	}
}

function limitsOn({ limits }: ExpectedObject): JsonLimits {
	return { ...BODY_LIMITS, ...limits };
}

function pauseOf({ pause }: Call): () => Promise<void> {
	return pause ?? (() => Promise.resolve());
}

async function readJson(bytes: Uint8Array, { expected, pause }: Reading): Promise<JsonBody> {
	try {
		return await readJsonBytes(bytes, limitsOn(expected), pause);
	} catch (error) {
		throw error instanceof JsonSyntaxError ? unparsed(error.message) : error;
	}
}

async function readJsonBytes(
	bytes: Uint8Array,
	limits: JsonLimits,
	pause: () => Promise<void>,
): Promise<JsonBody> {
	try {
		return { ...(await readJsonInPieces(UTF8.decode(bytes), limits, pause)), complaints: [] };
	} catch (error) {
		throw error instanceof JsonLimitError ? tooLarge(error.message) : error;
	}
}

/** A byte order mark is no JSON; the decoder would hide it. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Only people write YAML, so that it has no room for what controllers add. */
async function readYaml(bytes: Uint8Array, { pause }: Reading): Promise<JsonBody> {
	const { NoJsonError, readYamlInPieces, YamlError, YamlLimitError, yamlTextOf } = await import(
		'../base/yaml/read-yaml.ts'
	);
	try {
		const { value, repeated } = await readYamlInPieces(yamlTextOf(bytes), BODY_LIMITS, pause);
		const complaint = `yaml: unmarshal errors:\n  ${repeated.map(({ message }) => message).join('\n  ')}`;
		return { value, repeated: NO_REPEATED_KEYS, complaints: repeated.length > 0 ? [complaint] : [] };
	} catch (error) {
		if (error instanceof YamlLimitError) throw tooLarge(error.message);
		if (error instanceof YamlError || error instanceof NoJsonError) throw new UnreadableError(error.message);
		throw error;
	}
}

/** The fields by which upstream finds out what the object is, before it decodes the rest. */
function checkTypeMeta(value: unknown): void {
	if (value === null) return;
	if (!isRecord(value)) {
		throw unparsed(`json: cannot unmarshal ${jsonKind(value)} into Go value of type ${TYPE_META}`);
	}
	for (const name of ['apiVersion', 'kind']) {
		const text = own(value, name) ?? '';
		if (typeof text === 'string') continue;
		throw unparsed(`json: cannot unmarshal ${jsonKind(text)} into Go struct field .${name} of type string`);
	}
	const apiVersion = own(value, 'apiVersion');
	if (typeof apiVersion === 'string' && apiVersion.split('/', 3).length > 2) {
		throw new UnreadableError(`unexpected GroupVersion string: ${apiVersion}`);
	}
}

const TYPE_META =
	'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }';

function unparsed(message: string): UnreadableError {
	return new UnreadableError(`couldn't get version/kind; json parse error: ${message}`);
}

/** Loaded on demand: few clients speak it, and a start does not wait for it. */
async function readProtobuf(bytes: Uint8Array, { expected }: Reading): Promise<JsonBody> {
	const { jsonOfProtobuf } = await import('./protobuf-body.ts');
	const value = jsonOfProtobuf(bytes, expected);
	const { values: most } = limitsOn(expected);
	if (countValues(value, most) > most) throw tooLarge(`more than ${most} values`);
	return bodyOf(value);
}

/** The beginning of a body for an error message: as text where it looks like JSON, else in hex. */
function summaryOf(bytes: Uint8Array): string {
	if (bytes.length === 0) return '<empty>';
	const start = Buffer.from(bytes.subarray(0, 30));
	const shown = start.toString(start[0] === 0x7b ? 'utf8' : 'hex');
	return bytes.length > 30 ? `${shown} ...` : shown;
}

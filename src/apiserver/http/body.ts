/**
 * The first half of the decoding stage: reads the bytes of a body as a JSON value, by content type. The
 * second half (decode-object.ts, decode-create.ts) makes objects of it.
 *
 * 1. A body is limited in bytes by the HTTP layer, and here in values and depth, before a value is kept.
 * 2. Reading yields to the event loop between pieces (`pause`), so a large body does not block other
 *    requests. Protobuf is the exception: it is read in one go and limited accordingly.
 * 3. Errors have the messages of upstream's decoders, since kubectl shows them and clients match on them.
 */

import { badRequest, tooLarge, unsupportedMediaType } from '../../api/errors/api-error.ts';
import { hasFieldNumbers } from '../../api/protobuf/numbered-types.ts';
import { jsonKind } from '../../api/schema/decode-trail.ts';
import { countValues, isRecord, own } from '../../base/json/json.ts';
import {
	JsonLimitError,
	type JsonLimits,
	JsonSyntaxError,
	NO_REPEATED_KEYS,
	type RepeatedKeys,
	readJsonInPieces,
} from '../../base/json/json-reader.ts';
import type { Body, Call } from '../request.ts';
import { BODY_LIMITS, type ExpectedObject, UnreadableError } from './expected-object.ts';

/** A body as a JSON value. */
export interface JsonBody {
	readonly value: unknown;
	/** The objects in it that repeat a key. */
	readonly repeated: RepeatedKeys;
	/** Further errors for strict field validation: repeated keys in YAML, reported with their lines. */
	readonly complaints: readonly string[];
}

/** Parses bodies of one content type. Throws an {@link UnreadableError}, or an ApiError. */
type BodyReader = (bytes: Uint8Array, reading: Reading) => Promise<JsonBody>;

/** What a reader receives besides the bytes. */
interface Reading {
	readonly expected: ExpectedObject;
	/** Awaited between the pieces of a large body. */
	pause(): Promise<void>;
}

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

/** Readers of request bodies that contain objects, by content type. */
const READERS: ReadonlyMap<string, BodyReader> = new Map<string, BodyReader>([
	['application/json', readJson],
	['application/yaml', readYaml],
	[PROTOBUF, readProtobuf],
]);

/** The media types that bodies of objects of the type may have. */
function mediaTypesOf({ schema }: ExpectedObject): readonly string[] {
	return [...READERS.keys()].filter((type) => type !== PROTOBUF || hasFieldNumbers(schema));
}

/** Limits of a patch: room for 10,000 operations of a JSON patch, each of which has four values. */
const PATCH_LIMITS: JsonLimits = { values: 60_000, depth: 1000 };

/** Wraps a JSON value that was not parsed from text here, so that repeated keys cannot be detected. */
export function bodyOf(value: unknown): JsonBody {
	return { value, repeated: NO_REPEATED_KEYS, complaints: [] };
}

/**
 * The media type without parameters. The default is JSON, for clients that send no content type (`kubectl
 * create --raw`).
 */
export function mediaTypeOf(contentType: string): string {
	const [type = ''] = contentType.split(';', 1);
	return type.trim().toLowerCase() || 'application/json';
}

/** Whether the request came with a body. */
export function hasBody(body: Body): boolean {
	return body !== undefined && (body.type === 'value' || body.bytes.length > 0);
}

/**
 * Reads the body of a request as JSON. Throws UnsupportedMediaType, RequestEntityTooLarge, or BadRequest if
 * the bytes cannot be parsed. The caller decodes the value and checks its kind.
 */
export async function readBody(call: Call, expected: ExpectedObject): Promise<JsonBody> {
	const { body, contentType } = call;
	if (body?.type === 'value') return bodyOf(body.value);
	const mediaType = mediaTypeOf(contentType);
	const accepted = mediaTypesOf(expected);
	const reader = READERS.get(mediaType);
	if (!reader || !accepted.includes(mediaType)) throw unsupportedMediaType(accepted);
	const bytes = body?.bytes ?? new Uint8Array();
	try {
		const read = await reader(bytes, { expected, pause: pauseOf(call) });
		checkTypeMeta(read.value);
		// Go decodes JSON null into an empty object, so null is treated as `{}`.
		return { ...read, value: read.value ?? {} };
	} catch (error) {
		if (!(error instanceof UnreadableError)) throw error;
		const { message } = error;
		throw badRequest(
			`the object provided is unrecognized (must be of type ${expected.kind}): ${message} (${summaryOf(bytes)})`,
		);
	}
}

/** Reads the body of a patch as JSON. Throws RequestEntityTooLarge, or BadRequest if it is not JSON. */
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

/** By default TextDecoder removes a byte order mark, and a body that is not valid JSON would be accepted. */
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Limited to {@link BODY_LIMITS} even for a PUT: people write YAML, and controllers, which add the values
 * beyond that limit, send JSON.
 */
async function readYaml(bytes: Uint8Array, { pause }: Reading): Promise<JsonBody> {
	const { NoJsonError, readYamlInPieces, YamlError, YamlLimitError, yamlTextOf } = await import(
		'../../base/yaml/read-yaml.ts'
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

/**
 * Checks kind and apiVersion first, as upstream does before it decodes the rest, so that the same error is
 * reported for a body with several.
 */
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

/**
 * The decoder is imported on first use: few clients send protobuf, and loading it would delay every start.
 */
async function readProtobuf(bytes: Uint8Array, { expected, pause }: Reading): Promise<JsonBody> {
	const { jsonOfProtobuf } = await import('./protobuf-body.ts');
	// The turn has already received the body and, the first time, loaded the decoder.
	if (bytes.length > PIECE_BYTES) await pause();
	const value = jsonOfProtobuf(bytes, expected);
	if (bytes.length > PIECE_BYTES) await pause();
	const { values: maxValues } = limitsOn(expected);
	if (countValues(value, maxValues) > maxValues) throw tooLarge(`more than ${maxValues} values`);
	return bodyOf(value);
}

/** A shorter message is decoded in a few milliseconds, so no pause is needed around it. */
const PIECE_BYTES = 64 * 1024;

/**
 * The first 30 bytes of a body for an error message: as text if it looks like JSON, otherwise in hexadecimal.
 */
function summaryOf(bytes: Uint8Array): string {
	if (bytes.length === 0) return '<empty>';
	const start = Buffer.from(bytes.subarray(0, 30));
	const shown = start.toString(start[0] === 0x7b ? 'utf8' : 'hex');
	return bytes.length > 30 ? `${shown} ...` : shown;
}

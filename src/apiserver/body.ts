import { badRequest, unsupportedMediaType } from '../api/meta/api-error.ts';
import type { ObjectNode } from '../api/meta/schema.ts';
import type { Body, Call } from './request.ts';

/** The decode stage's first half: bytes to JSON values, by content type. */

/** A body as a JSON value. */
export interface JsonBody {
	readonly value: unknown;
	/** The text it came as; undefined from callers in this process and for other formats. */
	readonly text: string | undefined;
}

/** What the body of a request should be. */
export interface ExpectedObject {
	readonly kind: string;
	/** The first is the one that errors name; undefined: the version is of no account. */
	readonly apiVersions: readonly string[] | undefined;
	readonly schema: ObjectNode;
}

/** Reads bodies of one content type. Throws an {@link UnreadableError}, or any error of the API. */
type BodyReader = (bytes: Uint8Array, expected: ExpectedObject) => JsonBody | Promise<JsonBody>;

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
 * The body of a request, as JSON. Throws UnsupportedMediaType, or BadRequest where the bytes cannot be
 * read. Whether it is what was expected is for its decoding to say.
 */
export async function readBody({ body, contentType }: Call, expected: ExpectedObject): Promise<JsonBody> {
	if (body?.type === 'value') return { value: body.value, text: undefined };
	const reader = READERS.get(mediaTypeOf(contentType));
	if (!reader) throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
	const bytes = body?.bytes ?? new Uint8Array();
	try {
		return await reader(bytes, expected);
	} catch (error) {
		if (!(error instanceof UnreadableError)) throw error;
		const { message } = error;
		throw badRequest(
			`the object provided is unrecognized (must be of type ${expected.kind}): ${message} (${summaryOf(bytes)})`,
		);
	}
}

function readJson(bytes: Uint8Array): JsonBody {
	const text = new TextDecoder().decode(bytes);
	try {
		return { value: JSON.parse(text), text };
	} catch (error) {
		if (error instanceof SyntaxError) throw unparsed(error.message);
		throw error;
	}
}

async function readYaml(bytes: Uint8Array): Promise<JsonBody> {
	const { parseDocument } = await import('yaml');
	const document = parseDocument(new TextDecoder().decode(bytes));
	const [error] = document.errors;
	if (error) throw unparsed(error.message);
	try {
		return { value: document.toJS(), text: undefined };
	} catch (resolving) {
		// An alias of nothing, or so many of them that they would fill the memory.
		if (resolving instanceof ReferenceError) throw unparsed(resolving.message);
		throw resolving;
	}
}

function unparsed(message: string): UnreadableError {
	return new UnreadableError(`couldn't get version/kind; json parse error: ${message}`);
}

/** Loaded on demand: few clients speak it, and a start does not wait for it. */
async function readProtobuf(bytes: Uint8Array, expected: ExpectedObject): Promise<JsonBody> {
	const { jsonOfProtobuf } = await import('./protobuf-body.ts');
	return { value: jsonOfProtobuf(bytes, expected), text: undefined };
}

/** The beginning of a body for an error message: as text where it looks like JSON, else in hex. */
function summaryOf(bytes: Uint8Array): string {
	if (bytes.length === 0) return '<empty>';
	const start = Buffer.from(bytes.subarray(0, 30));
	const shown = start.toString(start[0] === 0x7b ? 'utf8' : 'hex');
	return bytes.length > 30 ? `${shown} ...` : shown;
}

import { badRequest, unsupportedMediaType } from '../api/meta/api-error.ts';
import type { Body, Call } from './request.ts';

/** The decode stage's first half: bytes to JSON values, by content type. */

/** A body as a JSON value. */
export interface JsonBody {
	readonly value: unknown;
	/** The text it came as; undefined from callers in this process and for other formats. */
	readonly text: string | undefined;
}

/** Reads bodies of one content type. Throws a SyntaxError where the bytes are not of that form. */
type BodyReader = (bytes: Uint8Array) => JsonBody | Promise<JsonBody>;

/** Formats of bodies that are objects. Protobuf will be a further row; until then it gets a 415. */
const READERS: ReadonlyMap<string, BodyReader> = new Map<string, BodyReader>([
	['application/json', readJson],
	['application/yaml', readYaml],
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
 * The body of a request that sends an object of kind `kind`, as JSON. Throws UnsupportedMediaType, or
 * BadRequest where the bytes cannot be read.
 */
export async function readBody({ body, contentType }: Call, kind: string): Promise<JsonBody> {
	if (body?.type === 'value') return { value: body.value, text: undefined };
	const reader = READERS.get(mediaTypeOf(contentType));
	if (!reader) throw unsupportedMediaType(OBJECT_MEDIA_TYPES);
	const bytes = body?.bytes ?? new Uint8Array();
	try {
		return await reader(bytes);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
		throw badRequest(
			`the object provided is unrecognized (must be of type ${kind}): couldn't get version/kind; json parse error: ${error.message} (${summaryOf(bytes)})`,
		);
	}
}

function readJson(bytes: Uint8Array): JsonBody {
	const text = new TextDecoder().decode(bytes);
	return { value: JSON.parse(text), text };
}

async function readYaml(bytes: Uint8Array): Promise<JsonBody> {
	const { parseDocument } = await import('yaml');
	const document = parseDocument(new TextDecoder().decode(bytes));
	const [error] = document.errors;
	if (error) throw new SyntaxError(error.message);
	return { value: document.toJS(), text: undefined };
}

/** The beginning of a body for an error message: as text where it looks like JSON, else in hex. */
function summaryOf(bytes: Uint8Array): string {
	if (bytes.length === 0) return '<empty>';
	const start = Buffer.from(bytes.subarray(0, 30));
	const shown = start.toString(start[0] === 0x7b ? 'utf8' : 'hex');
	return bytes.length > 30 ? `${shown} ...` : shown;
}

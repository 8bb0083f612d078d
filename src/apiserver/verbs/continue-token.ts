import { type ApiError, badRequest } from '../../api/errors/api-error.ts';
import { isList, isRecord, type JsonRecord, numberText } from '../../base/json/json.ts';
import { type JsonLimits, readJson } from '../../base/json/json-reader.ts';
import { messageOf } from '../../base/message-of.ts';

/**
 * The continue token of lists, in upstream's encoding (continue.go of its storage package): the key after
 * which the next page starts, and the revision of the list. The server keeps no state for a list in progress,
 * so a client may abandon it or continue after a restart.
 */
export interface ContinueToken {
	/** The revision of the list. Undefined: the latest one, because the list's own revision was compacted. */
	readonly revision: number | undefined;
	/** The last key of the previous page, without the resource's prefix. */
	readonly start: string;
	/** Number of objects after it, if it was known. */
	readonly remaining: number | undefined;
}

const VERSION = 'meta.k8s.io/v1';

/** Encodes an undefined revision, as upstream. */
const LATEST = -1;

/** A valid token has fewer values; the limit protects the parser from others. */
const LIMITS: JsonLimits = { values: 100, depth: 10 };

/** Encodes a token as the text of the `continue` parameter. */
export function encodeToken({ revision = LATEST, start, remaining }: ContinueToken): string {
	const token = { v: VERSION, rv: revision, start, ...(remaining !== undefined && { remaining }) };
	return Buffer.from(JSON.stringify(token)).toString('base64url');
}

/**
 * Decodes a token. `current` is the latest revision of the store. Throws BadRequest with upstream's messages
 * for text that is not a token, and for a revision later than `current`, which can only come from another
 * server's token.
 */
export function decodeToken(text: string, current: number): ContinueToken {
	const fields = fieldsOf(text);
	const { v, remaining } = fields;
	const rv = fields.rv ?? 0;
	const start = fields.start ?? '';
	if (v !== VERSION) {
		throw notValid(`server does not recognize this encoded version ${typeof v === 'string' ? v : ''}`);
	}
	if (typeof rv !== 'bigint' && !Number.isInteger(rv)) {
		throw notValid(
			`json: cannot unmarshal ${goKind(rv)} into Go struct field continueToken.rv of type int64`,
		);
	}
	if (typeof start !== 'string') {
		throw notValid(
			`json: cannot unmarshal ${goKind(start)} into Go struct field continueToken.start of type string`,
		);
	}
	if (rv === 0) throw notValid(`incorrect encoded start resourceVersion (version ${VERSION})`);
	if (start === '') throw notValid(`encoded start key empty (version ${VERSION})`);
	const parts = start.replace(/^\//, '').split('/');
	// Reject a start key that contains path segments which would lead outside the resource's prefix.
	if (parts.some((part) => ['', '.', '..'].includes(part))) throw notValid(start);
	const revision = Number(rv);
	if (revision > current) throw notValid(`resourceVersion ${rv} is later than the latest one, ${current}`);
	return {
		revision: revision < 0 ? undefined : revision,
		start: parts.join('/'),
		remaining: remainingOf(remaining),
	};
}

function fieldsOf(text: string): JsonRecord {
	const wrong = /[^A-Za-z0-9_-]/.exec(text);
	if (wrong || text.length % 4 === 1) {
		throw notValid(`illegal base64 data at input byte ${wrong?.index ?? text.length - 1}`);
	}
	let fields: unknown;
	try {
		fields = readJson(Buffer.from(text, 'base64url').toString(), LIMITS).value;
	} catch (error) {
		throw notValid(messageOf(error));
	}
	if (!isRecord(fields)) {
		throw notValid(`json: cannot unmarshal ${goKind(fields)} into Go value of type storage.continueToken`);
	}
	return fields;
}

function remainingOf(value: unknown): number | undefined {
	return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** The name that Go's decoder gives to a JSON value in its errors. */
function goKind(value: unknown): string {
	const number = numberText(value);
	if (number !== undefined) return `number ${number}`;
	if (isList(value)) return 'array';
	if (isRecord(value)) return 'object';
	return typeof value === 'boolean' ? 'bool' : 'string';
}

function notValid(why: string): ApiError {
	return badRequest(`invalid continue token: continue key is not valid: ${why}`);
}

import { tooLarge } from '../../api/errors/api-error.ts';
import { type Envelope, openEnvelope } from '../../api/protobuf/envelope.ts';
import { readObject } from '../../api/protobuf/message.ts';
import { WireError, WireLimitError, WireReader } from '../../api/protobuf/wire-reader.ts';
import { undecodable } from '../../api/schema/decode-errors.ts';
import { BODY_LIMITS, type ExpectedObject, UnreadableError } from './expected-object.ts';

/**
 * Maximum number of tags and lengths in a body with this many values. It bounds the time of the parser, which
 * cannot pause. An entry of a map of quantities is one value and has eight of them; no other value has more.
 * Values beyond the limit for authors are fields of messages, which have two.
 */
function maxPartsOf(values: number): number {
	const most = 8 * BODY_LIMITS.values + 2 * (values - BODY_LIMITS.values);
	return Math.min(most, 240_000);
}

/**
 * Decodes a protobuf body to JSON. Throws an UnreadableError if its envelope cannot be parsed, BadRequest if
 * the message in it cannot be decoded, and RequestEntityTooLarge beyond the limits.
 */
export function jsonOfProtobuf(bytes: Uint8Array, expected: ExpectedObject): unknown {
	const { values: mostValues } = expected.limits ?? BODY_LIMITS;
	const { kind, apiVersion, message } = envelopeOf(bytes);
	const typeMeta = { ...(kind && { kind }), ...(apiVersion && { apiVersion }) };
	const apiVersions = expected.apiVersions ?? [apiVersion];
	// The caller rejects an object of another kind or version, as it does for JSON. The message cannot be
	// decoded by the schema of the expected kind, so only the type is returned.
	const otherKind = kind !== '' && kind !== expected.kind;
	const otherVersion = apiVersion !== '' && !apiVersions.includes(apiVersion);
	if (otherKind || otherVersion) return typeMeta;
	try {
		return { ...typeMeta, ...readObject(new WireReader(message, maxPartsOf(mostValues)), expected.schema) };
	} catch (error) {
		if (error instanceof WireLimitError) throw tooLarge(`more than ${mostValues} values`);
		if (!(error instanceof WireError)) throw error;
		const version = apiVersion || (apiVersions[0] ?? '');
		const what = { kind: expected.kind, version: version.slice(version.indexOf('/') + 1) };
		throw undecodable(what, error.message);
	}
}

function envelopeOf(bytes: Uint8Array): Envelope {
	try {
		return openEnvelope(bytes);
	} catch (error) {
		throw error instanceof WireError ? new UnreadableError(error.message) : error;
	}
}

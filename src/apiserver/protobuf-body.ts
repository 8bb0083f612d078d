import { tooLarge } from '../api/meta/api-error.ts';
import { undecodable } from '../api/meta/decode-errors.ts';
import { type Envelope, openEnvelope } from '../api/protobuf/envelope.ts';
import { readObject } from '../api/protobuf/message.ts';
import { WireError, WireLimitError, WireReader } from '../api/protobuf/wire-reader.ts';
import { BODY_LIMITS, type ExpectedObject, UnreadableError } from './body.ts';

/**
 * How many tags and lengths a body may have: reading them cannot pause. An entry of a map of quantities, which is
 * one value, has eight of them, and no other value has more. Those beyond what the author of an object may write
 * are fields of messages, which have two.
 */
function mostPartsOf(values: number): number {
	const most = 8 * BODY_LIMITS.values + 2 * (values - BODY_LIMITS.values);
	return Math.min(most, 240_000);
}

/**
 * The JSON that a body in protobuf stands for. Throws an UnreadableError where it does not even say what
 * it is, and BadRequest where its message cannot be read.
 */
export function jsonOfProtobuf(bytes: Uint8Array, expected: ExpectedObject): unknown {
	const { values: mostValues } = expected.limits ?? BODY_LIMITS;
	const { kind, apiVersion, message } = envelopeOf(bytes);
	const typeMeta = { ...(kind && { kind }), ...(apiVersion && { apiVersion }) };
	const apiVersions = expected.apiVersions ?? [apiVersion];
	// An object of another kind is for the caller to refuse, as it does where JSON says so; by the schema
	// at hand its message makes no sense.
	const otherKind = kind !== '' && kind !== expected.kind;
	const otherVersion = apiVersion !== '' && !apiVersions.includes(apiVersion);
	if (otherKind || otherVersion) return typeMeta;
	try {
		return { ...typeMeta, ...readObject(new WireReader(message, mostPartsOf(mostValues)), expected.schema) };
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

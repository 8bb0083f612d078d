/** The second half of the decoding stage: makes an object of the path's kind from a JSON value. */

import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { type ApiError, badRequest } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { DecodeError, decodeAs } from '../../api/schema/decode.ts';
import {
	strictlyUndecodable,
	strictTexts,
	type Undecoded,
	undecodable,
} from '../../api/schema/decode-errors.ts';
import { isRecord } from '../../base/json/json.ts';
import { runAfter } from '../../base/turn.ts';
import type { ServerContext } from '../context.ts';
import { type JsonBody, readBody } from '../http/body.ts';
import { betweenSteps, bodyBytes, type Call, type ResourceRequest, warn } from '../request.ts';
import { checkSent, limitsOnBody } from '../storage/object-size.ts';
import type { ResourceCodec } from '../storage/stored-object.ts';
import type { WriteOptions } from './write-options.ts';

/** A decoded and defaulted object, and the errors of strict decoding. */
export interface DecodedObject {
	readonly object: KubeObject;
	/**
	 * Messages of unknown and repeated fields. `Strict` field validation makes one error of them, `Warn` a
	 * warning of each.
	 */
	readonly complaints: readonly string[];
}

/**
 * Decodes the object in the body of a create or update. Throws BadRequest if it cannot be decoded, if its
 * kind or version is not the path's, or for an error of strict decoding with `Strict`; RequestEntityTooLarge
 * if it has too many values.
 */
export async function decodeObject(
	server: ServerContext,
	{ call, resource, definition, namespace, name, subresource }: ResourceRequest,
	{ fieldValidation }: WriteOptions,
): Promise<KubeObject> {
	const { kind, schema } = definition;
	const body = await readBody(call, {
		kind,
		apiVersions: [resource.codec.apiVersion],
		schema,
		limits: limitsOnBody(call.method),
	});
	const old = name === '' ? undefined : resource.get(namespace, name)?.object;
	checkSent({ definition, subresource, json: body.value, old });
	const what = undecodedOf(body.value, definition);
	return runAfter(betweenSteps(server, call, bodyBytes(call)), () => {
		try {
			const { object, complaints } = decodeJson(resource.codec, body);
			refuseOrWarn(call, complaints, {
				fieldValidation,
				refusal: (texts) => strictlyUndecodable(what, texts),
			});
			return object;
		} catch (error) {
			if (error instanceof DecodeError) throw undecodable(what, error.message);
			throw error instanceof OtherKindError ? error.refusal : error;
		}
	});
}

/** The JSON claims another kind or version than the path's. The message is that of upstream's decoder. */
export class OtherKindError extends Error {
	override readonly name = 'OtherKindError';
	/** The error for a create or an update; a patch makes another one of the message. */
	readonly refusal: ApiError;

	constructor(message: string, refusal: ApiError = badRequest(message)) {
		super(message);
		this.refusal = refusal;
	}
}

/**
 * Decodes JSON to an object of the resource, defaults it and drops selfLink, which the server does not store.
 * Throws a DecodeError or an OtherKindError.
 */
export function decodeJson(
	codec: ResourceCodec,
	{ value: json, repeated, complaints }: JsonBody,
): DecodedObject {
	const { definition } = codec;
	const { value, problems } = decodeAs<KubeObject>(definition.schema, json, repeated);
	const { kind, apiVersion, metadata, ...rest } = value;
	if (apiVersion && apiVersion !== codec.apiVersion) {
		throw new OtherKindError(
			`the API version in the data (${apiVersion}) does not match the expected API version (${codec.apiVersion})`,
		);
	}
	if (kind && kind !== definition.kind) {
		const { version } = definition;
		const text = `converting (${version}.${kind}) to (${version}.${definition.kind}): unknown conversion`;
		throw new OtherKindError(text, undecodable({ kind, version, into: definition.kind }, text));
	}
	const { selfLink: _link, ...kept } = metadata;
	const object = { kind: definition.kind, apiVersion: codec.apiVersion, metadata: kept, ...rest };
	return { object: definition.defaults(object), complaints: [...complaints, ...strictTexts(problems)] };
}

/** What to do about complaints, and the error for a request that must be refused for them. */
export interface StrictDecoding {
	readonly fieldValidation: WriteOptions['fieldValidation'];
	refusal(texts: readonly string[]): ApiError;
}

/**
 * Handles the errors of strict decoding as the client asked (`fieldValidation`): ignores them, adds a warning
 * for each, or throws the error that `refusal` makes of them.
 */
export function refuseOrWarn(
	call: Call,
	complaints: readonly string[],
	{ fieldValidation, refusal }: StrictDecoding,
): void {
	if (complaints.length === 0 || fieldValidation === 'Ignore') return;
	if (fieldValidation === 'Strict') throw refusal(complaints);
	for (const text of complaints.flatMap(warningsOf)) warn(call, text);
}

/** Splits an error into warnings, which have one line each. */
function warningsOf(complaint: string): readonly string[] {
	const [first, ...lines] = complaint.split('\n');
	return first === 'yaml: unmarshal errors:' ? lines.map((line) => line.trim()) : [complaint];
}

/**
 * Returns the object with the namespace of the path. The client may leave the namespace out of the object.
 * For a cluster-scoped kind (`namespace` is empty) it is removed. Throws BadRequest if the object names
 * another namespace.
 */
export function inNamespace(object: KubeObject, namespace: string): KubeObject {
	const { namespace: own = '', ...metadata } = object.metadata;
	if (own === namespace) return object;
	if (namespace === '') return { ...object, metadata };
	if (own === '') return { ...object, metadata: { ...object.metadata, namespace } };
	throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function undecodedOf(json: unknown, { kind, version }: ResourceDefinition): Undecoded {
	if (!isRecord(json)) return { kind, version };
	const kindInBody = typeof json.kind === 'string' ? json.kind : '';
	const apiVersion = typeof json.apiVersion === 'string' ? json.apiVersion : '';
	return {
		kind: kindInBody || kind,
		version: apiVersion.slice(apiVersion.indexOf('/') + 1) || version,
		into: kind,
	};
}

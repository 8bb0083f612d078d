import { type ApiError, badRequest } from '../api/meta/api-error.ts';
import { DecodeError, decodeAs } from '../api/meta/decode.ts';
import { strictlyUndecodable, strictTexts, type Undecoded, undecodable } from '../api/meta/decode-errors.ts';
import type { KubeObject } from '../api/meta/object-meta.ts';
import type { ResourceDefinition } from '../api/meta/resource.ts';
import { type JsonBody, readBody } from './body.ts';
import type { ServerContext } from './context.ts';
import { checkSent, limitsOnBody } from './object-size.ts';
import { betweenSteps, bodyBytes, type Call, type ResourceRequest, warn } from './request.ts';
import type { ResourceCodec } from './stored-object.ts';
import type { WriteOptions } from './write-options.ts';

/** The decode stage's second half: JSON values to objects of the path's kind. */

/** A decoded and defaulted object, and what strict decoding would complain of. */
export interface DecodedObject {
	readonly object: KubeObject;
	/** Texts for a strict error, or for warnings. */
	readonly complaints: readonly string[];
}

/**
 * The object in the body of a create or update. Throws BadRequest when it cannot be decoded, is of
 * another kind or version than the path's, or `Strict` finds fault with it.
 */
export async function decodeObject(
	server: ServerContext,
	{ call, resource, definition, namespace, name, subresource }: ResourceRequest,
	{ fieldValidation }: WriteOptions,
): Promise<KubeObject> {
	const { kind, schema } = definition;
	const body = await readBody(call, {
		...{ kind, apiVersions: [resource.codec.apiVersion], schema },
		limits: limitsOnBody(call.method),
	});
	const old = name === '' ? undefined : resource.get(namespace, name)?.object;
	checkSent({ definition, subresource, json: body.value, old });
	const turn = betweenSteps(server, call, bodyBytes(call));
	if (turn) await turn;
	const what = undecodedOf(body.value, definition);
	try {
		const { object, complaints } = decodeJson(resource.codec, body);
		refuseOrWarn(call, complaints, fieldValidation, (texts) => strictlyUndecodable(what, texts));
		return object;
	} catch (error) {
		if (error instanceof DecodeError) throw undecodable(what, error.message);
		throw error instanceof OtherKindError ? error.refusal : error;
	}
}

/** The JSON says that it is of another kind or version than the resource; the message says so as upstream's decoder. */
export class OtherKindError extends Error {
	override readonly name = 'OtherKindError';
	/** The answer to a create or an update. */
	readonly refusal: ApiError;

	constructor(message: string, refusal: ApiError = badRequest(message)) {
		super(message);
		this.refusal = refusal;
	}
}

/** Decodes JSON to an object of the resource. Throws a DecodeError or an OtherKindError. */
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
	const { managedFields: _managed, selfLink: _link, ...kept } = metadata;
	const object = { kind: definition.kind, apiVersion: codec.apiVersion, metadata: kept, ...rest };
	return { object: definition.defaults(object), complaints: [...complaints, ...strictTexts(problems)] };
}

/** Does with what strict decoding complains of as the client wished; `refusal` makes the error. */
export function refuseOrWarn(
	call: Call,
	complaints: readonly string[],
	fieldValidation: WriteOptions['fieldValidation'],
	refusal: (texts: readonly string[]) => ApiError,
): void {
	if (complaints.length === 0 || fieldValidation === 'Ignore') return;
	if (fieldValidation === 'Strict') throw refusal(complaints);
	for (const text of complaints.flatMap(warningsOf)) warn(call, text);
}

/** A complaint as warnings, which have one line each. */
function warningsOf(complaint: string): readonly string[] {
	const [first, ...lines] = complaint.split('\n');
	return first === 'yaml: unmarshal errors:' ? lines.map((line) => line.trim()) : [complaint];
}

/**
 * The object in the namespace of the path, which it may name itself or leave out (none for a kind that
 * lives in no namespace). Throws BadRequest when it names another one.
 */
export function inNamespace(object: KubeObject, namespace: string): KubeObject {
	const { namespace: own = '', ...metadata } = object.metadata;
	if (own === namespace) return object;
	if (namespace === '') return { ...object, metadata };
	if (own === '') return { ...object, metadata: { ...object.metadata, namespace } };
	throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
}

function undecodedOf(json: unknown, { kind, version }: ResourceDefinition): Undecoded {
	if (typeof json !== 'object' || json === null) return { kind, version };
	const said = 'kind' in json && typeof json.kind === 'string' ? json.kind : '';
	const apiVersion = 'apiVersion' in json && typeof json.apiVersion === 'string' ? json.apiVersion : '';
	return {
		kind: said || kind,
		version: apiVersion.slice(apiVersion.indexOf('/') + 1) || version,
		into: kind,
	};
}

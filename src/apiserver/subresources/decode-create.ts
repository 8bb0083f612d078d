import { badRequest } from '../../api/errors/api-error.ts';
import type { ObjectMeta } from '../../api/meta/object-meta.ts';
import { DecodeError, decodeAs } from '../../api/schema/decode.ts';
import { strictlyUndecodable, strictTexts, undecodable } from '../../api/schema/decode-errors.ts';
import type { ObjectNode, Schema } from '../../api/schema/schema.ts';
import { attributesFor } from '../admission/admission.ts';
import type { ServerContext } from '../context.ts';
import { readBody } from '../http/body.ts';
import type { ExpectedObject } from '../http/expected-object.ts';
import type { ResourceRequest } from '../request.ts';
import { refuseOrWarn } from '../verbs/decode-object.ts';
import type { WriteOptions } from '../verbs/write-options.ts';

/** An object that clients post to a subresource and that is not stored: a Binding, an Eviction. */
export interface Posted {
	readonly apiVersion?: string;
	readonly kind?: string;
	readonly metadata: ObjectMeta;
}

/** The kind of object that a subresource accepts; `T` is the type that the schema describes. */
export interface PostedKind<T extends Posted> extends ExpectedObject {
	readonly apiVersions: readonly string[];
	readonly schema: ObjectNode & Schema<T>;
}

/** A decoded object that was posted to a subresource, and the options of the request. */
interface PostedObject<T extends Posted> {
	readonly posted: T;
	readonly kind: PostedKind<T>;
	readonly options: WriteOptions;
}

/**
 * Admits the object as a CREATE (both phases) and resolves to it as plugins returned it. The write that it causes
 * is not admitted again, as upstream. Rejects with what admission throws.
 */
export async function admitPosted<T extends Posted>(
	server: ServerContext,
	request: ResourceRequest,
	{ posted, kind, options }: PostedObject<T>,
): Promise<T> {
	const [apiVersion = ''] = kind.apiVersions;
	const object = { ...posted, apiVersion: posted.apiVersion || apiVersion, kind: kind.kind };
	const { dryRun } = options;
	const attributes = attributesFor(request, { operation: 'CREATE', object, old: undefined, dryRun, options });
	const admitted = await server.admission.admit(attributes);
	return admitted === object ? posted : decodeAs<T>(kind.schema, admitted).value;
}

/**
 * Decodes the object in the body. Throws BadRequest if it cannot be decoded, if its kind, version or
 * namespace is not the path's, or for an error of strict decoding with `Strict`.
 */
export async function decodePosted<T extends Posted>(
	{ call, namespace }: ResourceRequest,
	posted: PostedKind<T>,
	fieldValidation: WriteOptions['fieldValidation'],
): Promise<T> {
	const { kind, apiVersions, schema } = posted;
	const { value: json, repeated, complaints } = await readBody(call, posted);
	const [expected = ''] = apiVersions;
	const what = { kind, version: expected.slice(expected.indexOf('/') + 1) };
	try {
		const { value, problems } = decodeAs<T>(schema, json, repeated);
		const { apiVersion = '', kind: bodyKind = '', metadata } = value;
		if (bodyKind && bodyKind !== kind) {
			const other = { kind: bodyKind, version: apiVersion.slice(apiVersion.indexOf('/') + 1), into: kind };
			throw undecodable(
				other,
				`converting (${other.version}.${bodyKind}) to (${what.version}.${kind}): unknown conversion`,
			);
		}
		if (apiVersion && !apiVersions.includes(apiVersion)) {
			throw badRequest(
				`the API version in the data (${apiVersion}) does not match the expected API version (${expected})`,
			);
		}
		if (metadata.namespace && metadata.namespace !== namespace) {
			throw badRequest(
				'the namespace of the provided object does not match the namespace sent on the request',
			);
		}
		refuseOrWarn(call, [...complaints, ...strictTexts(problems)], {
			fieldValidation,
			refusal: (texts) => strictlyUndecodable(what, texts),
		});
		return value;
	} catch (error) {
		if (error instanceof DecodeError) throw undecodable(what, error.message);
		throw error;
	}
}

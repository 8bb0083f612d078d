import { badRequest } from '../api/meta/api-error.ts';
import {
	type Decoded,
	DecodeError,
	strictlyUndecodable,
	strictTexts,
	undecodable,
} from '../api/meta/decode.ts';
import { duplicateFields } from '../api/meta/duplicate-fields.ts';
import type { ObjectMeta } from '../api/meta/object-meta.ts';
import { readBody } from './body.ts';
import { refuseOrWarn } from './decode-object.ts';
import type { ResourceRequest } from './request.ts';
import type { WriteOptions } from './write-options.ts';

/** An object that is posted to a subresource and stored nowhere: a Binding, an Eviction. */
export interface Posted {
	readonly apiVersion?: string;
	readonly kind?: string;
	readonly metadata: ObjectMeta;
}

/** What a subresource takes; the first of `apiVersions` is the one that errors name. */
export interface PostedKind<T extends Posted> {
	readonly kind: string;
	readonly apiVersions: readonly string[];
	/** Decodes by the schema of the kind; throws a DecodeError. */
	decode(json: unknown): Decoded<T>;
}

/**
 * The object in the body. Throws BadRequest when it cannot be decoded, is of another kind, version or
 * namespace than the path's, or `Strict` finds fault with it.
 */
export async function decodePosted<T extends Posted>(
	{ call, namespace }: ResourceRequest,
	{ kind, apiVersions, decode }: PostedKind<T>,
	fieldValidation: WriteOptions['fieldValidation'],
): Promise<T> {
	const { value: json, text } = await readBody(call, kind);
	const [expected = ''] = apiVersions;
	const what = { kind, version: expected.slice(expected.indexOf('/') + 1) };
	try {
		const { value, unknown } = decode(json);
		const { apiVersion = '', kind: own = '', metadata } = value;
		if (own && own !== kind) {
			const other = { kind: own, version: apiVersion.slice(apiVersion.indexOf('/') + 1), into: kind };
			throw undecodable(
				other,
				`converting (${other.version}.${own}) to (${what.version}.${kind}): unknown conversion`,
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
		const duplicates = fieldValidation === 'Ignore' || text === undefined ? [] : duplicateFields(text);
		const complaints = strictTexts(unknown, duplicates);
		refuseOrWarn(call, complaints, fieldValidation, (texts) => strictlyUndecodable(what, texts));
		return value;
	} catch (error) {
		if (error instanceof DecodeError) throw undecodable(what, error.message);
		throw error;
	}
}

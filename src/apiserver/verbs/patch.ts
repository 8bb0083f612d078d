import type { ResourceDefinition } from '../../api/contract/resource-definition.ts';
import { type ApiError, invalid, unsupportedMediaType } from '../../api/errors/api-error.ts';
import { fieldForbidden, fieldInvalid as invalidField } from '../../api/errors/field-errors.ts';
import { FieldPath } from '../../api/errors/field-path.ts';
import { applyJsonPatch, readJsonPatch } from '../../api/patch/json-patch.ts';
import { mergePatch } from '../../api/patch/merge-patch.ts';
import { strategicMerge } from '../../api/patch/strategic-merge.ts';
import { DecodeError, decode } from '../../api/schema/decode.ts';
import { strictTexts } from '../../api/schema/decode-errors.ts';
import { raw } from '../../api/schema/schema.ts';
import type { JsonRecord } from '../../base/json/json.ts';
import type { ServerContext } from '../context.ts';
import { bodyOf, type JsonBody, mediaTypeOf, readPatchBody } from '../http/body.ts';
import { goText } from '../http/go-text.ts';
import type { Call, ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { decodeJson, OtherKindError, refuseOrWarn } from './decode-object.ts';
import { ownersOnce } from './owner-references.ts';
import { checkName } from './update.ts';
import { type UpdateStrategy, updateObject } from './update-object.ts';
import { type WriteOptions, writeOptions } from './write-options.ts';

/** A parsed patch. */
interface Patch {
	/** Returns the object's JSON after the patch. Throws BadRequest or Invalid if it cannot be applied. */
	apply(object: JsonRecord): JsonRecord;
	/** Errors of strict decoding of the patch itself. */
	readonly complaints: readonly string[];
	/** Formats the result for error messages. */
	shown(patched: JsonRecord): string;
}

type PatchReader = (body: JsonBody, schema: ResourceDefinition['schema']) => Patch;

/** Parsers of patches by content type. Server-side apply is not implemented and gets a 415. */
const READERS: ReadonlyMap<string, PatchReader> = new Map([
	['application/json-patch+json', readJson],
	['application/merge-patch+json', readMerge],
	['application/strategic-merge-patch+json', readStrategic],
]);

/**
 * PATCH: applies the patch to the latest state of the object, again if another writer changes it in between.
 * Throws NotFound if the object does not exist: only server-side apply can create objects. Throws also
 * UnsupportedMediaType, BadRequest, Invalid and Conflict.
 */
export async function patch(
	server: ServerContext,
	request: ResourceRequest,
	strategy: UpdateStrategy,
): Promise<Result> {
	const { patch: read, options } = await readPatch(request, request.definition.schema);
	const stored = await updateObject(server, request, {
		options,
		strategy,
		next: async (current, pause) => {
			const json = read.apply({ ...current });
			await pause();
			const { fieldValidation } = options;
			const decoded = decodePatched(request, { read, json, fieldValidation }, () => {
				const { object: value, complaints } = decodeJson(request.resource.codec, bodyOf(json));
				return { value, complaints };
			});
			checkName(request, decoded);
			return ownersOnce(request.call, decoded);
		},
	});
	return { type: 'object', code: 200, stored };
}

/**
 * Reads the patch in the body, for an object of this schema, and the options. Throws UnsupportedMediaType, BadRequest or
 * Invalid; as upstream, a wrong media type is the first error.
 */
export async function readPatch(
	{ call }: ResourceRequest,
	schema: ResourceDefinition['schema'],
): Promise<{ readonly patch: Patch; readonly options: WriteOptions }> {
	const { contentType } = call;
	const reader = contentType === '' ? undefined : READERS.get(mediaTypeOf(contentType));
	if (!reader) throw unsupportedMediaType([...READERS.keys()]);
	const options = writeOptions(call.query, 'PatchOptions');
	refuseForce(call);
	return { patch: reader(await readPatchBody(call), schema), options };
}

/** JSON after a patch, which must be decoded. */
interface PatchedJson extends Pick<WriteOptions, 'fieldValidation'> {
	readonly read: Patch;
	readonly json: JsonRecord;
}

/**
 * Decodes the patched JSON by `decode`. Errors of decoding are reported on the field `patch`, since the client did not
 * send the object itself.
 */
export function decodePatched<T>(
	request: ResourceRequest,
	{ read, json, fieldValidation }: PatchedJson,
	decode: () => { readonly value: T; readonly complaints: readonly string[] },
): T {
	const refusal = (text: string): ApiError => {
		const shown = request.definition.isConfidential ? '<secret contents redacted>' : read.shown(json);
		return invalid({ group: '', resource: '', name: '' }, [
			invalidField(new FieldPath('patch'), shown, text),
		]);
	};
	try {
		const { value, complaints } = decode();
		refuseOrWarn(request.call, [...read.complaints, ...complaints], {
			fieldValidation,
			refusal: (texts) => refusal(`strict decoding error: ${texts.join(', ')}`),
		});
		return value;
	} catch (error) {
		if (error instanceof DecodeError || error instanceof OtherKindError) throw refusal(error.message);
		throw error;
	}
}

/** Upstream accepts `force` only with server-side apply (ValidatePatchOptions). */
function refuseForce({ query }: Call): void {
	if (!query.has('force')) return;
	throw invalid({ group: 'meta.k8s.io', resource: 'PatchOptions', name: '' }, [
		fieldForbidden(new FieldPath('force'), 'may not be specified for non-apply patch'),
	]);
}

function readJson({ value, repeated }: JsonBody): Patch {
	const read = readJsonPatch(value, repeated);
	return {
		apply: (object) => applyJsonPatch(object, read),
		complaints: strictTexts(read.problems).map((text) => `json patch ${text}`),
		shown: JSON.stringify,
	};
}

function readMerge(body: JsonBody): Patch {
	return {
		apply: (object) => mergePatch(object, body.value),
		complaints: repeatedFields(body),
		shown: JSON.stringify,
	};
}

function readStrategic(body: JsonBody, schema: ResourceDefinition['schema']): Patch {
	return {
		// Upstream ignores kind and apiVersion in a strategic merge patch: it converts the result to the type of
		// the current object.
		apply: ({ kind, apiVersion, ...object }) => ({
			...strategicMerge({ kind, apiVersion, ...object }, body.value, schema),
			kind,
			apiVersion,
		}),
		complaints: repeatedFields(body),
		// Upstream shows the patch instead of the result here.
		shown: () => goText(body.value),
	};
}

/** Errors of strict decoding: `raw` accepts any field, so only repeated ones remain. */
function repeatedFields({ value, repeated }: JsonBody): readonly string[] {
	return strictTexts(decode(raw, value, repeated).problems);
}

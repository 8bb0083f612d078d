/**
 * `deployments/<name>/scale` and those of the other workloads: reads and changes the number of Pods as an
 * autoscaling/v1 Scale, which has the same form for all of them (upstream: ScaleREST in the registry of each kind).
 * The definition of a resource says how a Scale is made of its objects.
 */

import { type ScaleObject, scaleOf, scales } from '../../api/autoscaling/scale/scale.ts';
import { type Scale, scaleSchema } from '../../api/autoscaling/scale/schema.ts';
import type { ResourceDefinition, ScaleRule } from '../../api/contract/resource-definition.ts';
import { conflict, invalid } from '../../api/errors/api-error.ts';
import { nonNegative } from '../../api/errors/field-errors.ts';
import { SPEC } from '../../api/errors/field-path.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { decodeAs } from '../../api/schema/decode.ts';
import { strictTexts } from '../../api/schema/decode-errors.ts';
import { assert } from '../../base/assert.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import { get } from '../verbs/get.ts';
import { decodePatched, readPatch } from '../verbs/patch.ts';
import { checkName } from '../verbs/update.ts';
import { updateObject } from '../verbs/update-object.ts';
import { type WriteOptions, writeOptions } from '../verbs/write-options.ts';
import { decodePosted, type PostedKind } from './decode-create.ts';

/** The kind of the objects that the subresource reads and writes. */
export const SCALE: PostedKind<Scale> = {
	kind: 'Scale',
	apiVersions: ['autoscaling/v1'],
	schema: scaleSchema,
};

/** GET: the Scale of the object. Throws NotFound. */
export async function getScale(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const found = await get(server, request);
	assert(found.type === 'object', 'GET of an object has another result');
	return answer(scaleOf(found.stored.object, ruleOf(request.definition)));
}

/** PUT: sets the number of Pods. Throws BadRequest, NotFound, Invalid or Conflict. */
export async function putScale(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'UpdateOptions');
	const scale = await decodePosted(request, SCALE, options.fieldValidation);
	checkName(request, asObject(scale));
	return change(server, request, { options, scaleAfter: () => scale });
}

/** PATCH: applies the patch to the Scale of the object. Throws as {@link putScale} and `patch` do. */
export async function patchScale(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const { patch: read, options } = await readPatch(request, scaleSchema);
	const { fieldValidation } = options;
	return change(server, request, {
		options,
		scaleAfter: (current) => {
			const json = read.apply({ ...current });
			const scale = decodePatched(request, { read, json, fieldValidation }, () => {
				const { value, problems } = decodeAs<Scale>(scaleSchema, json);
				return { value, complaints: strictTexts(problems) };
			});
			checkName(request, asObject(scale));
			return scale;
		},
	});
}

function asObject({ metadata }: Scale): KubeObject {
	return { apiVersion: 'autoscaling/v1', kind: SCALE.kind, metadata };
}

interface ScaleChange {
	readonly options: WriteOptions;
	/** The new Scale of the object, whose current one is given. It may be called again, see guaranteed-update.ts. */
	scaleAfter(current: Scale): Scale;
}

/** Changes the number of Pods as an update of the object would. Resolves to the new Scale. */
async function change(
	server: ServerContext,
	request: ResourceRequest,
	{ options, scaleAfter }: ScaleChange,
): Promise<Result> {
	const { definition } = request;
	const rule = ruleOf(definition);
	const stored = await updateObject(server, request, {
		options,
		strategy: definition.strategy,
		next: (object) => {
			const scale = scaleAfter(scaleOf(object, rule));
			checkScale(request, scale, object);
			const { resourceVersion: _current, ...metadata } = object.metadata;
			const { resourceVersion } = scale.metadata;
			const based = { ...object, metadata: { ...metadata, ...(resourceVersion && { resourceVersion }) } };
			return rule.withReplicas(based, scale.spec?.replicas ?? 0);
		},
	});
	return answer(scaleOf(stored.object, rule));
}

function answer(scale: ScaleObject): Result {
	return { type: 'computed', code: 200, definition: scales, items: [scale], isList: false };
}

/** Throws Invalid for a negative number, and Conflict if the Scale is that of another object of this name. */
function checkScale(
	{ definition, name }: ResourceRequest,
	{ metadata, spec }: Scale,
	object: KubeObject,
): void {
	const errors = nonNegative(SPEC.child('replicas'), spec?.replicas ?? 0);
	if (errors.length > 0) throw invalid({ group: 'autoscaling', resource: SCALE.kind, name }, errors);
	const { uid } = object.metadata;
	if (!metadata.uid || metadata.uid === uid) return;
	const { group, resource } = subjectOf(definition, name);
	throw conflict(
		{ group, resource: `${resource}/scale`, name },
		`Precondition failed: UID in precondition: ${metadata.uid}, UID in object meta: ${uid}`,
	);
}

function ruleOf({ scale }: ResourceDefinition): ScaleRule<KubeObject> {
	assert(scale !== undefined, 'a resource without the subresource scale was scaled');
	return scale;
}

import { type ApiError, badRequest, invalid, isApiError, noFreeName } from '../../api/errors/api-error.ts';
import { collectErrors } from '../../api/errors/field-errors.ts';
import { generateName } from '../../api/meta/names.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ServerContext } from '../context.ts';
import { betweenSteps, bodyBytes, type ResourceRequest, warn } from '../request.ts';
import type { Result } from '../result.ts';
import { kindSubjectOf, nameTaken, writeNew } from '../storage/compare-and-swap.ts';
import { checkSize } from '../storage/object-size.ts';
import { StoredObject } from '../storage/stored-object.ts';
import { decodeObject, inNamespace } from './decode-object.ts';
import { ownersOnce } from './owner-references.ts';
import { type WriteOptions, writeOptions } from './write-options.ts';

/** Number of generated names to try before the request fails (upstream: maxNameGenerationCreateAttempts). */
const NAME_ATTEMPTS = 8;

/**
 * POST to a collection: decode, admit, prepare, validate, store. With generateName it is repeated with
 * another name as long as the generated one is taken. Throws Invalid, AlreadyExists, or what admission
 * throws.
 */
export async function create(server: ServerContext, request: ResourceRequest): Promise<Result> {
	const options = writeOptions(request.call.query, 'CreateOptions');
	const decoded = await decodeObject(server, request, options);
	const wiped = inNamespace(withoutSystemFields(ownersOnce(request.call, decoded)), request.namespace);
	const admitted = server.admission.create(request, wiped);
	const generates = !admitted.metadata.name && Boolean(admitted.metadata.generateName);
	for (let attempt = 1; ; attempt++) {
		try {
			const stored = await createOnce(server, request, admitted, options);
			return { type: 'object', code: 201, stored };
		} catch (error) {
			if (!generates || !isApiError(error, 'AlreadyExists')) throw error;
			if (attempt === NAME_ATTEMPTS) throw generatedNameTaken(request, error);
		}
	}
}

/** One attempt with one name. It yields between the steps that take long for a large object. */
async function createOnce(
	server: ServerContext,
	request: ResourceRequest,
	object: KubeObject,
	{ dryRun }: WriteOptions,
): Promise<StoredObject> {
	const { definition } = request;
	const identified = identify(server, object);
	const prepared = definition.strategy.prepareForCreate(identified);
	const { name = '', resourceVersion = '' } = prepared.metadata;
	const pause = (): Promise<void> | undefined => betweenSteps(server, request.call, bodyBytes(request.call));
	const turn = pause();
	if (turn) await turn;
	const errors = collectErrors(() => definition.strategy.validateCreate(prepared));
	if (errors.length > 0) throw invalid(kindSubjectOf(definition, name), errors);
	const { strategy } = definition;
	for (const text of strategy.droppedFields?.(identified, undefined) ?? []) warn(request.call, text);
	for (const text of strategy.warnings?.(prepared, undefined) ?? []) warn(request.call, text);
	// Default again, since prepareForCreate can add parts that have defaults of their own. Upstream applies
	// these when it next reads the object.
	const finished = definition.defaults(prepared);
	if (!dryRun && revisionFrom(resourceVersion) !== 0) {
		throw badRequest('resourceVersion should not be set on objects to be created');
	}
	const paused = pause();
	if (paused) {
		await paused;
		// Admit again: while the request paused, the Namespace may have been deleted.
		server.admission.create(request, finished);
	}
	return dryRun ? dryRunResult(request, finished) : writeNew(server, request, finished);
}

/** The revision in metadata; 0 for text that is not a number, as upstream. */
function revisionFrom(resourceVersion: string): number {
	return /^\d+$/.test(resourceVersion) ? Number(resourceVersion) : 0;
}

/**
 * The response of a dry run, which skips only the write. A client may therefore send a resourceVersion, with
 * which a real create would fail.
 */
function dryRunResult({ definition, resource }: ResourceRequest, object: KubeObject): StoredObject {
	const { namespace = '', name = '', resourceVersion = '' } = object.metadata;
	const holder = resource.get(namespace, name);
	if (holder) throw nameTaken(definition, name, holder);
	const { codec } = resource;
	const value = codec.encode(object);
	checkSize({ definition, subresource: '', next: { object, value }, old: undefined });
	const at = { key: codec.key(namespace, name), value, revision: revisionFrom(resourceVersion) };
	return new StoredObject(codec, at, object);
}

/** Sets name, uid and creationTimestamp. */
function identify({ clock, random }: ServerContext, object: KubeObject): KubeObject {
	const { name, generateName: prefix, namespace, ...rest } = object.metadata;
	const identity = {
		...((name || prefix) && { name: name || generateName(prefix ?? '', random) }),
		...(prefix && { generateName: prefix }),
		...(namespace && { namespace }),
		uid: random.uuid(),
		creationTimestamp: formatTime(clock.now()),
	};
	return { ...object, metadata: { ...identity, ...rest } };
}

/** Removes fields that only the server sets. */
function withoutSystemFields(object: KubeObject): KubeObject {
	const {
		uid: _uid,
		creationTimestamp: _created,
		deletionTimestamp: _deleted,
		deletionGracePeriodSeconds: _grace,
		...metadata
	} = object.metadata;
	return { ...object, metadata };
}

function generatedNameTaken({ definition }: ResourceRequest, error: ApiError): ApiError {
	const { group, resource } = definition;
	return noFreeName(group === '' ? resource : `${resource}.${group}`, error.status.details?.name ?? '');
}

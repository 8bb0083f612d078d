import type { Strategy } from '../../api/contract/resource-definition.ts';
import { type ApiError, isApiError, noFreeName } from '../../api/errors/api-error.ts';
import { generateName } from '../../api/meta/names.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { formatTime } from '../../api/meta/time.ts';
import type { ServerContext } from '../context.ts';
import type { ResourceRequest } from '../request.ts';
import type { Result } from '../result.ts';
import { guaranteedUpdate, type ObjectWrite, resultOf } from '../storage/guaranteed-update.ts';
import { decodeObject, inNamespace } from './decode-object.ts';
import { ownersOnce } from './owner-references.ts';
import { writeOptions } from './write-options.ts';

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
	const object = inNamespace(withoutSystemFields(ownersOnce(request.call, decoded)), request.namespace);
	const generates = !object.metadata.name && Boolean(object.metadata.generateName);
	const { strategy } = request.definition;
	const write: ObjectWrite = {
		operation: 'CREATE',
		dryRun: options.dryRun,
		options,
		next: () => ({ type: 'put', object }),
		strategy: {
			prepare: (given) => strategy.prepareForCreate(identify(server, given, strategy)),
			validate: (prepared) => strategy.validateCreate(prepared),
			warnings: (prepared) => strategy.warnings?.(prepared, undefined) ?? [],
			droppedFields: (given) => strategy.droppedFields?.(given, undefined) ?? [],
		},
	};
	for (let attempt = 1; ; attempt++) {
		try {
			const stored = resultOf(await guaranteedUpdate(server, request, write));
			return { type: 'object', code: 201, stored };
		} catch (error) {
			if (!generates || !isApiError(error, 'AlreadyExists')) throw error;
			if (attempt === NAME_ATTEMPTS) throw generatedNameTaken(request, error);
		}
	}
}

/** Sets name, uid and creationTimestamp. */
function identify(
	{ clock, random }: ServerContext,
	object: KubeObject,
	{ namesWithoutSuffix }: Pick<Strategy<KubeObject>, 'namesWithoutSuffix'>,
): KubeObject {
	const { name, generateName: prefix, namespace, ...rest } = object.metadata;
	const chosen = name || (prefix && (namesWithoutSuffix ? prefix : generateName(prefix, random)));
	const identity = {
		...(chosen && { name: chosen }),
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

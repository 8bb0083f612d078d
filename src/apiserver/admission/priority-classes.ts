import { apiVersionOf } from '../../api/contract/resource-definition.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { priorityClasses, SYSTEM_PRIORITY_CLASSES } from '../../api/scheduling/priorityclass/definition.ts';
import type { PriorityClass } from '../../api/scheduling/priorityclass/schema.ts';
import type { ResourceRequest } from '../request.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionPlugin } from './admission.ts';

/** The stored PriorityClasses, as the admission plugins look them up. */
export class PriorityClasses {
	readonly #cache: ObjectCache;

	constructor(cache: ObjectCache) {
		this.#cache = cache;
	}

	/** Returns the PriorityClass with this name. */
	named(name: string): PriorityClass | undefined {
		const object = this.#cache.of(priorityClasses.group, priorityClasses.resource)?.get('', name)?.object;
		return object && isPriorityClass(object) ? object : undefined;
	}

	/**
	 * Returns the PriorityClass of Pods that name none. Two requests at once can each create a default; then
	 * the one with the lowest value applies, as upstream.
	 */
	get default(): PriorityClass | undefined {
		const cache = this.#cache.of(priorityClasses.group, priorityClasses.resource);
		let lowest: PriorityClass | undefined;
		for (const { object } of cache?.all() ?? []) {
			if (!isPriorityClass(object) || !object.globalDefault) continue;
			if (!lowest || object.value < lowest.value) lowest = object;
		}
		return lowest;
	}
}

/**
 * Allows only one PriorityClass with globalDefault, and keeps those of the system from being deleted
 * (upstream: the Priority plugin, and the storage of PriorityClasses in the registry).
 */
export class PriorityClassRules implements AdmissionPlugin {
	readonly #classes: PriorityClasses;

	constructor(classes: PriorityClasses) {
		this.#classes = classes;
	}

	create(request: ResourceRequest, object: KubeObject): KubeObject {
		return this.#checked(request, object, undefined);
	}

	update(request: ResourceRequest, object: KubeObject, old: KubeObject): KubeObject {
		return this.#checked(request, object, old.metadata.name);
	}

	delete({ definition, name }: ResourceRequest): void {
		if (definition.kind !== priorityClasses.kind || definition.group !== priorityClasses.group) return;
		if (!SYSTEM_PRIORITY_CLASSES.some((each) => each.name === name)) return;
		throw forbidden(subjectOf(definition, name), 'this is a system priority class and cannot be deleted');
	}

	#checked({ definition }: ResourceRequest, object: KubeObject, oldName: string | undefined): KubeObject {
		if (!isPriorityClass(object) || !object.globalDefault) return object;
		const current = this.#classes.default?.metadata.name;
		if (current === undefined || current === oldName) return object;
		const { name = '', generateName = '' } = object.metadata;
		throw forbidden(
			subjectOf(definition, name || generateName || 'Unknown'),
			`PriorityClass ${current} is already marked as default. Only one default can exist`,
		);
	}
}

function isPriorityClass(object: KubeObject): object is PriorityClass {
	return object.kind === priorityClasses.kind && object.apiVersion === apiVersionOf(priorityClasses);
}

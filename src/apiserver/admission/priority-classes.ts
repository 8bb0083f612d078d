import { apiVersionOf } from '../../api/contract/resource-definition.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import type { KubeObject } from '../../api/meta/object-meta.ts';
import { priorityClasses, SYSTEM_PRIORITY_CLASSES } from '../../api/scheduling/priorityclass/definition.ts';
import type { PriorityClass } from '../../api/scheduling/priorityclass/schema.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import { type AdmissionAttributes, type AdmissionPlugin, nameForMessages } from './admission.ts';

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
	readonly validation: AdmissionPlugin['validation'] = {
		operations: ['CREATE', 'UPDATE', 'DELETE'],
		admit: (attributes) => {
			if (attributes.operation === 'DELETE') checkDeletable(attributes);
			else this.#checkDefault(attributes);
		},
	};
	readonly #classes: PriorityClasses;

	constructor(classes: PriorityClasses) {
		this.#classes = classes;
	}

	#checkDefault(attributes: AdmissionAttributes): void {
		const { definition, object, old } = attributes;
		if (!object || !isPriorityClass(object) || !object.globalDefault) return;
		const current = this.#classes.default?.metadata.name;
		if (current === undefined || current === old?.metadata.name) return;
		throw forbidden(
			subjectOf(definition, nameForMessages(attributes)),
			`PriorityClass ${current} is already marked as default. Only one default can exist`,
		);
	}
}

function checkDeletable({ definition, name }: AdmissionAttributes): void {
	if (definition.kind !== priorityClasses.kind || definition.group !== priorityClasses.group) return;
	if (!SYSTEM_PRIORITY_CLASSES.some((each) => each.name === name)) return;
	throw forbidden(subjectOf(definition, name), 'this is a system priority class and cannot be deleted');
}

function isPriorityClass(object: KubeObject): object is PriorityClass {
	return object.kind === priorityClasses.kind && object.apiVersion === apiVersionOf(priorityClasses);
}

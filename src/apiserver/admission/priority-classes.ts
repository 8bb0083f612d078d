import { isOfKind } from '../../api/contract/resource-definition.ts';
import { forbidden } from '../../api/errors/api-error.ts';
import { priorityClasses, SYSTEM_PRIORITY_CLASSES } from '../../api/scheduling/priorityclass/definition.ts';
import type { PriorityClass } from '../../api/scheduling/priorityclass/schema.ts';
import { cachedObject, cachedObjects } from '../storage/cached-objects.ts';
import { subjectOf } from '../storage/compare-and-swap.ts';
import type { ObjectCache } from '../storage/object-cache.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './admission.ts';
import { refusedByAdmission } from './refusal.ts';

/** The stored PriorityClasses, as the admission plugins look them up. */
export class PriorityClasses {
	readonly #cache: ObjectCache;

	constructor(cache: ObjectCache) {
		this.#cache = cache;
	}

	/** Returns the PriorityClass with this name. */
	named(name: string): PriorityClass | undefined {
		return cachedObject(this.#cache, priorityClasses, { name });
	}

	/**
	 * Returns the PriorityClass of Pods that name none. Two requests at once can each create a default; then
	 * the one with the lowest value applies, as upstream.
	 */
	get default(): PriorityClass | undefined {
		let lowest: PriorityClass | undefined;
		for (const each of cachedObjects(this.#cache, priorityClasses)) {
			if (each.globalDefault && (!lowest || each.value < lowest.value)) lowest = each;
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
		const { object, old } = attributes;
		if (!object || !isOfKind(object, priorityClasses) || !object.globalDefault) return;
		const current = this.#classes.default?.metadata.name;
		if (current === undefined || current === old?.metadata.name) return;
		const text = `PriorityClass ${current} is already marked as default. Only one default can exist`;
		throw refusedByAdmission(attributes, text);
	}
}

function checkDeletable({ definition, name }: AdmissionAttributes): void {
	if (definition.kind !== priorityClasses.kind || definition.group !== priorityClasses.group) return;
	if (!SYSTEM_PRIORITY_CLASSES.some((each) => each.name === name)) return;
	throw forbidden(subjectOf(definition, name), 'this is a system priority class and cannot be deleted');
}

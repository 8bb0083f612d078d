import type { KubeObject } from '../meta/object-meta.ts';
import type { ObjectNode } from '../schema/schema.ts';
import type { ResourceDefinition, ResourceView, Strategy } from './resource-definition.ts';

/** What makes a view: its names where they differ from those of the stored resource, its schema and its rules. */
export interface ViewParts<T extends KubeObject> extends ResourceView<T> {
	readonly group: string;
	readonly version: string;
	readonly schema: ObjectNode;
	/** The field that a name in field selectors stands for in those of the stored resource. */
	readonly fields: Readonly<Record<string, string>>;
	/**
	 * Rules for requests of this group and version, about objects in their stored form, as upstream's. Default: those
	 * of the stored resource.
	 */
	readonly rules?: Partial<Pick<Strategy<KubeObject>, 'validateCreate' | 'validateUpdate'>>;
	readonly controllerFields?: ResourceDefinition['controllerFields'];
}

/**
 * The definition of a view: a second group or version of a resource, whose objects are stored as those of the first.
 * Its rules, columns and selectable fields are those of the stored resource, applied to the converted object.
 */
export function viewOf<T extends KubeObject>(parts: ViewParts<T>): ResourceDefinition<T> {
	const { of, group, version, schema, fields, controllerFields } = parts;
	const { toStored, fromStored } = parts;
	const { kind, resource, singular, shortNames, categories, namespaced } = of;
	return {
		group,
		version,
		kind,
		resource,
		singular,
		shortNames,
		categories,
		namespaced,
		schema,
		...(controllerFields && { controllerFields }),
		...(of.isConfidential && { isConfidential: of.isConfidential }),
		view: { of, toStored, fromStored },
		defaults: (object) => {
			const stored = toStored(object);
			const full = of.defaults(stored);
			return full === stored ? object : fromStored(full);
		},
		strategy: strategyOf(parts),
		columns: of.columns.map((column) => ({
			...column,
			cell: (object: T, now: number) => column.cell(toStored(object), now),
		})),
		selectableFields: (object) => {
			const stored = of.selectableFields(toStored(object));
			return Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, stored[field] ?? '']));
		},
		deletion: {
			...of.deletion,
			...(of.deletion.gracePeriodSeconds && {
				gracePeriodSeconds: (object, requested) =>
					of.deletion.gracePeriodSeconds?.(toStored(object), requested) ?? 0,
			}),
		},
	};
}

function strategyOf<T extends KubeObject>({
	of: { strategy },
	toStored,
	fromStored,
	rules,
}: ViewParts<T>): Strategy<T> {
	const { validateCreate, validateUpdate } = { ...strategy, ...rules };
	const before = (old: T | undefined): KubeObject | undefined => old && toStored(old);
	return {
		prepareForCreate: (object) => fromStored(strategy.prepareForCreate(toStored(object))),
		prepareForUpdate: (object, old) => fromStored(strategy.prepareForUpdate(toStored(object), toStored(old))),
		validateCreate: (object) => validateCreate(toStored(object)),
		validateUpdate: (object, old) => validateUpdate(toStored(object), toStored(old)),
		warnings: (object, old) => strategy.warnings?.(toStored(object), before(old)) ?? [],
		droppedFields: (given, old) => strategy.droppedFields?.(toStored(given), before(old)) ?? [],
		allowUnconditionalUpdate: strategy.allowUnconditionalUpdate,
	};
}

/** The definition by which objects of a resource are stored: another one for views. */
export function storedDefinition(definition: ResourceDefinition): ResourceDefinition {
	return definition.view?.of ?? definition;
}

import { isRecord, type JsonRecord } from '../../base/json/json.ts';
import { listAt, objectAt, textAt } from '../../client/raw-object.ts';
import { prefixOf, type Target } from '../args/resource-args.ts';
import { customColumnsText } from '../print/custom-columns.ts';
import { toJson } from '../print/json.ts';
import { fillTemplate } from '../print/jsonpath.ts';
import type { OutputForm } from '../print/output-form.ts';
import { toYaml } from '../print/yaml.ts';

/** Options of printing objects. */
export interface ObjectView {
	readonly headers: boolean;
	readonly showManagedFields?: boolean;
}

/** The answers as text in every format but a table: a single object as itself, several as a List. */
export function printObjects(
	answers: readonly { readonly target: Target; readonly object: JsonRecord }[],
	form: OutputForm,
	view: ObjectView,
): string {
	const found = answers.flatMap(({ target, object }) => {
		const items = target.name === undefined ? listAt(object, 'items') : [object];
		return items.filter(isRecord).map((each) => ({
			target,
			object: view.showManagedFields ? each : withoutManagedFields(each),
		}));
	});
	const objects = found.map(({ object }) => object);
	switch (form.type) {
		case 'name':
			return found
				.map(({ target, object }) => `${prefixOf(target.definition)}${textAt(object.metadata, 'name')}\n`)
				.join('');
		case 'columns':
			return customColumnsText(form.columns, objects, { header: view.headers });
		default: {
			// kubectl prints a List unless exactly one object was requested by name.
			const single = answers.length === 1 && answers[0]?.target.name !== undefined ? objects[0] : undefined;
			const list = { apiVersion: 'v1', items: objects, kind: 'List', metadata: { resourceVersion: '' } };
			return printValue(single ?? list, form);
		}
	}
}

/** One object, or a list of them, as text. */
export function printValue(value: JsonRecord, form: OutputForm): string {
	switch (form.type) {
		case 'json':
			return toJson(value);
		case 'jsonpath':
			return fillTemplate(form.template, value);
		default:
			return toYaml(value);
	}
}

/** The object without `metadata.managedFields`, which kubectl hides by default because of its length. */
export function withoutManagedFields(object: JsonRecord): JsonRecord {
	const { managedFields, ...metadata } = objectAt(object, 'metadata');
	return managedFields === undefined ? object : { ...object, metadata };
}

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Condition, findCondition, isConditionTrue, withCondition } from './conditions.ts';

function condition(type: string, status: string, lastTransitionTime: string | null = null): Condition {
	return { type, status, lastTransitionTime };
}

test('finds a condition by its type', () => {
	const ready = condition('Ready', 'False');
	assert.equal(findCondition([condition('Other', 'True'), ready], 'Ready'), ready);
	assert.equal(findCondition([ready], 'Other'), undefined);
	assert.equal(findCondition<Condition>(undefined, 'Ready'), undefined);
});

test('a condition is True only with the status True', () => {
	const conditions = [condition('a', 'True'), condition('b', 'False'), condition('c', 'Unknown')];
	const ofType = (type: string): boolean => isConditionTrue(conditions, type);
	assert.deepEqual(['a', 'b', 'c', 'd'].map(ofType), [true, false, false, false]);
	assert.equal(isConditionTrue<Condition>(undefined, 'a'), false);
});

test('a condition of a type that is listed twice is True if one of them is', () => {
	assert.equal(isConditionTrue([condition('a', 'False'), condition('a', 'True')], 'a'), true);
});

test('replaces a condition in its place and appends a new one', () => {
	const before = [condition('a', 'True', 't1'), condition('b', 'True', 't1')];
	assert.deepEqual(withCondition(before, condition('a', 'False', 't2')), [
		condition('a', 'False', 't2'),
		condition('b', 'True', 't1'),
	]);
	assert.deepEqual(withCondition(before, condition('c', 'True', 't2')), [
		...before,
		condition('c', 'True', 't2'),
	]);
	assert.deepEqual(withCondition<Condition>(undefined, condition('a', 'True', 't')), [
		condition('a', 'True', 't'),
	]);
});

test('the time of the transition is kept while the status stays', () => {
	const [kept] = withCondition([condition('a', 'True', 't1')], condition('a', 'True', 't2'));
	assert.equal(kept?.lastTransitionTime, 't1');
	const [dated] = withCondition([condition('a', 'True')], condition('a', 'True', 't2'));
	assert.equal(dated?.lastTransitionTime, 't2');
});

import { join } from 'node:path';
import test from 'node:test';
import { missingForPlainContainer, testInPlainContainer } from '../testing/plain-container.ts';

const skip = missingForPlainContainer() ?? false;

test('host processes run in a container whose engine refuses clone3', { skip }, async () => {
	const file = join(import.meta.dirname, 'process-runtime.test.ts');
	await testInPlainContainer(file, /^(3\. a container|7\. |10\. the exit code|stopping a sandbox)/);
});

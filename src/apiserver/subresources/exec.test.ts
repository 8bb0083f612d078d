import { execContract } from '../testing/exec-contract-suite.ts';

execContract('exec in this process', async ({ server }) => ({ transport: server, close: async () => {} }));

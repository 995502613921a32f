import qlikAPI from './qlik-api.js';

export const { authModule, register } = qlikAPI;

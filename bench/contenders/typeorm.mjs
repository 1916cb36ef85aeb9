/** @import { Contender } from '../contender.d.mts' */

/** @type {Contender} */
export const typeorm = {
  name: 'typeorm',
  title: 'TypeORM `createSchemaBuilder().log()`',
  upTo: 1_000,
  async open(place) {
    const dataSource = await place.dataSource();
    return {
      run: async () => {
        const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
        return { differences: upQueries.length };
      },
      close: () => Promise.resolve(),
    };
  },
};

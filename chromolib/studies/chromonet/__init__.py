"""Study `chromonet`: normal or abnormal, from one chromosome or one karyogram."""
